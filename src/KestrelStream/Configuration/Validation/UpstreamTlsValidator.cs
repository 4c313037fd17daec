using KestrelStream.Tls;
using KestrelStream.Tls.Upstream;

namespace KestrelStream.Configuration.Validation;

/// <summary>What is said of TLS with the destinations of one cluster, as far as no file is read.</summary>
internal static class UpstreamTlsValidator
{
    private const string ValidName = "a host name, an address, or {sni} for the name that the client asks for";

    public static void Validate(ValidationContext context, string path, UpstreamTlsConfig tls)
    {
        if (tls.ServerName is { } name && name != UpstreamTlsConfig.ClientServerName && !UpstreamName.Parse(name).IsKnown)
        {
            context.AddError($"{path}:ServerName", $"{ErrorText.Quote(name)} is no name of a server; valid: {ValidName}");
        }

        if (tls.TrustedCertificates is { } file)
        {
            FilePath.Check(context, $"{path}:TrustedCertificates", file, "a PEM file of the authorities that are trusted");
            if (!tls.Verify)
            {
                context.AddError($"{path}:TrustedCertificates", "has no effect with Verify false; valid: one of the two");
            }
        }

        if (tls.Certificate is { } certificate && !context.Certificates.Contains(certificate))
        {
            context.AddError($"{path}:Certificate", context.Certificates.UnknownId(certificate));
        }
        else if (tls.Certificate is { } folder && context.Config.Certificates.GetValueOrDefault(folder)?.Directory is not null)
        {
            context.AddError($"{path}:Certificate", $"{ErrorText.Quote(folder)} is a folder, and one certificate is shown to destinations; valid: a certificate with a Path");
        }

        context.CheckAlpn(path, "Alpn", tls.Alpn);
        KeyExchangeValidator.Validate(context, path, tls.EffectiveProtocols, tls.Ciphers, tls.CipherSuites, tls.Groups);
        if (tls.Enabled && !TlsGroups.AreDefault(tls.Groups) && !context.Hooks.UsesOpenSsl(context.Config))
        {
            context.AddError($"{path}:Groups", $"{ErrorText.Quote(tls.Groups!)} is not possible with SslStream, which speaks TLS here; valid: Tls:Engine \"OpenSsl\", or leave it out");
        }

        context.CheckTime(path, "HandshakeTimeout", tls.HandshakeTimeout, Duration.Shortest);
    }

    /// <summary>Whether there is something to verify of each destination: a name that is missing must not be found out by the first session.</summary>
    public static void ValidateDestination(ValidationContext context, string clusterPath, string path, UpstreamTlsConfig? tls, DestinationConfig destination)
    {
        if (tls is not { Enabled: true, Verify: true }
            || tls.ServerName is not (null or UpstreamTlsConfig.ClientServerName)
            || !ProxyAddress.TryParseDestination(destination.Address, out var address)
            || address!.Kind == ProxyAddressKind.Dynamic
            || UpstreamName.Of(tls, destination, address!, hostName: null, clientName: null).IsKnown)
        {
            return;
        }

        if (destination.Host is { } host)
        {
            context.AddError($"{path}:Host", $"{ErrorText.Quote(host)} is no name that a certificate could be for; valid: a host name or an address, or Tls:ServerName of the cluster");
        }
        else
        {
            context.AddError(
                $"{clusterPath}:Tls:ServerName",
                $"is needed to verify the certificate of {ErrorText.Quote(destination.Address)}, which has no host name; valid: ServerName, Host of the destination, or Verify false");
        }
    }
}
