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
internal sealed partial class TlsPolicy
{
    // Bits that SslProtocols leaves unused: 14 to 31.
    private const int IsolationShift = 14;
    private const int IsolationMask = (1 << (32 - IsolationShift)) - 1;

    private static int s_lastIsolation;

    private readonly TlsPolicyBasis _basis;
    private readonly SslCertificateTrust? _sentTrust;
    private readonly CertificateStore _store;
    private readonly CertificateState[] _certificates;
    private readonly SslProtocols _protocols;
    private readonly CipherSuitesPolicy? _cipherSuites;
    private readonly List<SslApplicationProtocol> _alpn;
    private readonly Lock _rebuilding = new();
    private volatile Table _table;

    private TlsPolicy(TlsPolicyBasis basis, CertificateState[] certificates, CertificateStore store, OpenSslLibrary? openSsl)
    {
        var (config, trust) = (basis.Config, basis.Trust);
        _basis = basis;
        OpenSsl = openSsl;
        _sentTrust = trust is null || openSsl is not null ? null : SslCertificateTrust.CreateForX509Collection(trust.Certificates, sendTrustInHandshake: !OperatingSystem.IsWindows());
        _store = store;
        _certificates = certificates;
        _cipherSuites = CipherSuitesOf(config);
        _protocols = ProtocolsOf(config) | (_cipherSuites is null ? IsolationOf(Interlocked.Increment(ref s_lastIsolation)) : 0);
        // Empty, not null: null would let Kestrel add h2 and http/1.1.
        _alpn = [.. config.Alpn.Select(name => new SslApplicationProtocol(name))];
        _table = new Table(store.Version, [.. certificates.Select(state => ChoiceOf(state, state.Current))], previous: null, this);
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
        return previous is not null && previous._store == store && previous.OpenSsl == openSsl && previous._certificates.SequenceEqual(states) && basis.IsSameAs(previous._basis)
            ? previous
            : new TlsPolicy(basis, states, store, openSsl);
    }

    /// <summary>What ends TLS under this policy; null = SslStream.</summary>
    public OpenSslLibrary? OpenSsl { get; }

    /// <summary>What it was made from.</summary>
    public TlsPolicyBasis Basis => _basis;

    /// <summary>What it shows now, in the order of the route's list.</summary>
    public IEnumerable<CertificateEntry> Certificates => Latest().Choices.Select(choice => choice.Entry);

    /// <summary>Judges one client's certificate for SslStream; null = it is not asked for one.</summary>
    public ClientCertificateJudge? NewJudge() => _basis.Trust is null ? null : new ClientCertificateJudge(_basis.Config.ClientCertificates!);

    /// <summary>Options for a client that asked for a name; the same object until the certificate changes.</summary>
    /// <param name="serverName">As our own parser found it: lower case, no trailing dot; null = none.</param>
    public SslServerAuthenticationOptions GetOptions(string? serverName) => Choose(serverName).Leader.Options;

    /// <summary>Which certificate such a client gets.</summary>
    public string GetCertificateId(string? serverName) => Choose(serverName).Leader.State.Id;

    /// <summary>What OpenSSL shakes hands with such a client with.</summary>
    public OpenSslContext GetOpenSslContext(string? serverName) => Choose(serverName).Context;

    private Offer Choose(string? serverName) => Latest().Choose(serverName);

    private Table Latest()
    {
        var table = _table;
        return table.Version == _store.Version ? table : Rebuild();
    }

    private Table Rebuild()
    {
        lock (_rebuilding)
        {
            // Read before the certificates: a swap in between makes the next connection rebuild once more.
            var version = _store.Version;
            var table = _table;
            return table.Version == version ? table : _table = new Table(version, [.. table.Choices.Select(Renew)], table, this);
        }
    }

    private Choice Renew(Choice choice)
    {
        // Files that were written again with what they held before cost no client its session.
        var entry = choice.State.Current;
        if (entry == choice.Entry || entry.HasSameChain(choice.Entry))
        {
            return choice;
        }

        if (OpenSsl is not null && !OpenSslContext.Check(_basis.Config, _basis.Trust, [entry], out _, out var error))
        {
            _store.Refuse(choice.State, error.Text);
            return choice;
        }

        return ChoiceOf(choice.State, entry);
    }

    private Choice ChoiceOf(CertificateState state, CertificateEntry entry) => new(state, entry, OptionsOf(entry), entry.Leaf.GetKeyAlgorithm());

    private SslServerAuthenticationOptions OptionsOf(CertificateEntry entry) => new()
    {
        ServerCertificateContext = _sentTrust is null ? entry.Context : SslStreamCertificateContext.Create(entry.Leaf, [.. entry.Intermediates], offline: true, _sentTrust),
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

    private static CipherSuitesPolicy? CipherSuitesOf(RouteTlsConfig config)
    {
        // The string rules TLS 1.2 alone, the suites TLS 1.3; without its version one would only cost resumption.
        var (has12, has13) = (config.Protocols.Contains(TlsVersion.Tls12), config.Protocols.Contains(TlsVersion.Tls13));
        if ((config.Ciphers is null || !has12) && (config.CipherSuites is null || !has13))
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
        if ((has12 && !CipherString.TryParse(config.Ciphers ?? "DEFAULT", out tls12, out error))
            || (has13 && config.CipherSuites is not null && !Tls13Suites.TryParse(config.CipherSuites, out tls13, out error)))
        {
            throw new ArgumentException(error, nameof(config));
        }

        return new CipherSuitesPolicy([.. tls13, .. tls12]);
    }
}
