using System.Collections.Concurrent;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Tls;

/// <summary>
/// What a terminating route offers, compiled. Immutable but for its certificates, which are swapped when their files change. Thread-safe; one lookup and
/// no allocation per connection.
/// </summary>
/// <remarks>
/// Sessions are resumed under the policy they began under and no other: see <see cref="IsolationOf"/> and <see cref="OpenSslContext"/>. What SslStream
/// cannot do: with a cipher list nothing is resumed, because it then makes a new TLS context for every connection; the server's order of suites always
/// wins; of certificates for the same name but with other kinds of keys only the first is sent.
/// </remarks>
internal sealed class TlsPolicy
{
    // Bits that SslProtocols leaves unused: 14 to 31.
    private const int IsolationShift = 14;
    private const int IsolationMask = (1 << (32 - IsolationShift)) - 1;

    private static int s_lastIsolation;

    private readonly TlsPolicyBasis _basis;
    private readonly SslCertificateTrust? _sentTrust;
    private readonly CertificateGroup _certificates;
    private readonly TlsOffers _offers;
    private readonly SslProtocols _protocols;
    private readonly CipherSuitesPolicy? _cipherSuites;
    private readonly List<SslApplicationProtocol> _alpn;
    private readonly ConcurrentDictionary<string, string?> _judged = new();

    private TlsPolicy(TlsPolicyBasis basis, CertificateGroup certificates, OpenSslLibrary? openSsl)
    {
        var (config, trust) = (basis.Config, basis.Trust);
        _basis = basis;
        OpenSsl = openSsl;
        _sentTrust = trust is null || openSsl is not null ? null : SslCertificateTrust.CreateForX509Collection(trust.Certificates, sendTrustInHandshake: !OperatingSystem.IsWindows());
        _certificates = certificates;
        _offers = new TlsOffers(pair => new TlsOffer(pair, () => OptionsOf(pair.Leader), () => new OpenSslContext(BasisOf(pair), pair.Entries)));
        _cipherSuites = CipherSuitesOf(config.Ciphers, config.CipherSuites, config.Protocols);
        _protocols = ProtocolsOf(config) | (_cipherSuites is null ? IsolationOf(Interlocked.Increment(ref s_lastIsolation)) : 0);
        // Empty, not null: null would let Kestrel add h2 and http/1.1.
        _alpn = [.. config.Alpn.Select(name => new SslApplicationProtocol(name))];
    }

    /// <param name="basis">Valid: its certificates exist, and its cipher string can be translated.</param>
    /// <param name="certificates">By id; those of the set that the config is applied with.</param>
    /// <param name="store">Swaps them.</param>
    /// <param name="previous">The route's policy so far; it is kept when nothing has changed, and with it the sessions that clients can resume.</param>
    /// <param name="openSsl">What ends TLS; null = SslStream.</param>
    public static TlsPolicy Compile(
        TlsPolicyBasis basis, IReadOnlyDictionary<string, CertificateState> certificates, CertificateStore store, TlsPolicy? previous = null, OpenSslLibrary? openSsl = null)
    {
        if (basis.Config.ClientCertificates is { Mode: not ClientCertificateMode.None } != basis.Trust is not null)
        {
            throw new ArgumentException("Who asks for certificates must say whose, and only who asks.", nameof(basis));
        }

        CertificateState[] states = [.. basis.Config.Certificates.Select(id => certificates[id])];
        ArgumentOutOfRangeException.ThrowIfZero(states.Length);
        var group = store.GroupOf(states, basis.Config.UnknownName ?? CertificateGroup.DefaultOf(states[0]));
        return previous is not null && previous.OpenSsl == openSsl && previous._certificates == group && basis.IsSameAs(previous._basis)
            ? previous
            : new TlsPolicy(basis, group, openSsl);
    }

    /// <summary>What ends TLS under this policy; null = SslStream.</summary>
    public OpenSslLibrary? OpenSsl { get; }

    /// <summary>What it was made from.</summary>
    public TlsPolicyBasis Basis => _basis;

    /// <summary>What it shows now, in the order of the route's list.</summary>
    public IEnumerable<CertificateEntry> Certificates => _certificates.States.SelectMany(state => state.Entries);

    /// <summary>Judges one client's certificate for SslStream; null = it is not asked for one.</summary>
    public ClientCertificateJudge? NewJudge() => _basis.Trust is null ? null : new ClientCertificateJudge(_basis.Config.ClientCertificates!);

    /// <summary>What a client gets; null = it is to be refused, as none of the certificates has its name. The same object until the certificate changes or others are wanted more.</summary>
    /// <param name="serverName">As our own parser found it: lower case, no trailing dot; null = none.</param>
    public TlsOffer? Choose(string? serverName)
    {
        var names = _certificates.Names;
        return names.Find(serverName) is { } pair ? _offers.Get(pair, names) : null;
    }

    /// <summary>Which certificate such a client gets; null = none.</summary>
    public string? GetCertificateId(string? serverName) => _certificates.Names.Find(serverName)?.Leader.Id;

    /// <summary>Why OpenSSL refuses a certificate under this policy; null = it does not, or the policy has nothing to do with it.</summary>
    public string? WhyNot(CertificateState state, CertificateEntry entry)
        => OpenSsl is not null && _certificates.States.Contains(state)
            ? _judged.GetOrAdd(entry.Strength, _ => Judge(entry))
            : null;

    /// <summary>Nobody answers for a certificate that was made here.</summary>
    private TlsPolicyBasis BasisOf(CertificatePair pair) => pair.Leader.IsStandIn ? _basis with { Ocsp = null } : _basis;

    private string? Judge(CertificateEntry entry)
        => !entry.CanServe(_basis.Config) ? "no suite of Ciphers is for its key"
            : OpenSslContext.Check(_basis.Config, _basis.Trust, [entry], out var _, out var _, out var error) ? null : $"OpenSSL refuses it: {error.Text}";

    private SslServerAuthenticationOptions OptionsOf(CertificateEntry entry) => new()
    {
        ServerCertificateContext = entry.CreateContext(_sentTrust),
        EnabledSslProtocols = _protocols,
        CipherSuitesPolicy = _cipherSuites,
        ApplicationProtocols = _alpn,
        AllowRenegotiation = false,
        // SslStream asks then; whether a client may go without is for the judge to say.
        ClientCertificateRequired = _basis.Trust is not null,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = _basis.Trust is null ? null : ClientCertificateJudge.ChainPolicyOf(_basis.Trust),
        // Elsewhere sessions are kept by the system, where nothing keeps those of two routes apart. And a resumed session brings its client's certificate
        // but not the chain that led to it.
        AllowTlsResume = _basis.Config.SessionResumption && OperatingSystem.IsLinux() && _basis.Trust is null,
    };

    /// <summary>
    /// Keeps the sessions of this policy to itself. SslStream on Linux shares one OpenSSL context (and with it ticket keys and session cache) between all
    /// servers of the process whose certificate chain, versions and use of ALPN are the same; a certificate context of one's own does not change that.
    /// Those versions are compared as a number, so a number of our own in their unused bits, which OpenSSL is never shown, makes the context ours.
    /// </summary>
    private static SslProtocols IsolationOf(int number)
    {
        // Zero would be the context of other servers in the process. Numbers come round after 262,143 policies, long after their sessions have ended.
        var isolation = (int)((uint)(number - 1) % IsolationMask) + 1;
#pragma warning disable CA5397 // The analyzer takes the constant for a version.
        return OperatingSystem.IsLinux() ? (SslProtocols)(isolation << IsolationShift) : 0;
#pragma warning restore CA5397
    }

    private static SslProtocols ProtocolsOf(RouteTlsConfig config) =>
        (config.Protocols.Contains(TlsVersion.Tls12) ? SslProtocols.Tls12 : 0) | (config.Protocols.Contains(TlsVersion.Tls13) ? SslProtocols.Tls13 : 0);

    /// <summary>For SslStream; null = its own list.</summary>
    /// <param name="ciphers">A cipher string; null = none is configured.</param>
    /// <param name="suites">Those of TLS 1.3; null = none are configured.</param>
    /// <param name="protocols">Versions that are offered.</param>
    internal static CipherSuitesPolicy? CipherSuitesOf(string? ciphers, string? suites, IReadOnlyList<TlsVersion> protocols)
    {
        // The string rules TLS 1.2 alone, the suites TLS 1.3; without its version one would only cost resumption.
        var (has12, has13) = (protocols.Contains(TlsVersion.Tls12), protocols.Contains(TlsVersion.Tls13));
        if ((ciphers is null || !has12) && (suites is null || !has13))
        {
            return null;
        }

        if (OperatingSystem.IsWindows() || OperatingSystem.IsAndroid())
        {
            throw new PlatformNotSupportedException("Cipher suites are chosen by the system here; leave Ciphers and CipherSuites out.");
        }

        IReadOnlyList<TlsCipherSuite> tls12 = [];
        var tls13 = has13 ? Tls13Suites.Defaults : []; // SslStream refuses a list without any of them when the version is on.
        string? error = null;
        if ((has12 && !CipherString.TryParse(ciphers ?? "DEFAULT", out tls12, out error))
            || (has13 && suites is not null && !Tls13Suites.TryParse(suites, out tls13, out error)))
        {
            throw new ArgumentException(error, nameof(ciphers));
        }

        return new CipherSuitesPolicy([.. tls13, .. tls12]);
    }
}
