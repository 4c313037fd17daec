using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;

namespace KestrelStream.Tls.Upstream;

/// <summary>Says for <see cref="SslStream"/> whether one destination is who it should be. It asks for resumed sessions too. One per handshake; not thread-safe.</summary>
internal sealed class UpstreamJudge(UpstreamTlsConfig config, UpstreamName name)
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>Why the destination was refused; null = it was not.</summary>
    public string? WhyNot { get; private set; }

    /// <summary>It was asked, and has said yes.</summary>
    public bool IsSatisfied { get; private set; }

    /// <summary>End of the certificate that was shown.</summary>
    public DateTimeOffset? Expires { get; private set; }

    /// <summary>How SslStream builds the chain, before it asks; without asking anybody on the network for what the certificate names.</summary>
    /// <param name="trust">Null = the authorities of this system.</param>
    public static X509ChainPolicy ChainPolicyOf(TrustedAuthorities? trust)
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        if (trust is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(trust.Certificates);
        }

        return policy;
    }

    /// <summary>What SslStream calls.</summary>
    public bool Judge(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        var shown = certificate as X509Certificate2;
        Expires = shown?.NotAfter;
        var why = config.Verify ? Find(shown, chain, errors) : null;
        WhyNot = why is null ? null : UpstreamProblem.Of(why, shown is null ? default : shown.RawDataMemory.Span);
        return IsSatisfied = why is null;
    }

    private string? Find(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null)
        {
            return "the destination has shown no certificate";
        }

        if (chain is null || (errors & SslPolicyErrors.RemoteCertificateChainErrors) != 0)
        {
            return $"the certificate is not trusted: {string.Join(", ", chain?.ChainStatus.Select(status => status.Status).Distinct() ?? [])}";
        }

        return IsNamed(certificate) ? null : $"the certificate is not for {name}";
    }

    private bool IsNamed(X509Certificate2 certificate)
    {
        try
        {
            return name.IsKnown && certificate.MatchesHostname(name.ToString(), allowWildcards: true, allowCommonName: false);
        }
        catch (ArgumentException)
        {
            // A name that .NET does not take for one, as with an underscore.
            return false;
        }
    }
}
