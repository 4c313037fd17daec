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

    private readonly RouteTlsConfig _config;
    private readonly ClientTrust? _trust;
    private readonly SslCertificateTrust? _sentTrust;
    private readonly CertificateStore _store;
    private readonly CertificateState[] _certificates;
    private readonly SslProtocols _protocols;
    private readonly CipherSuitesPolicy? _cipherSuites;
    private readonly List<SslApplicationProtocol> _alpn;
    private readonly Lock _rebuilding = new();
    private volatile Table _table;

    private TlsPolicy(RouteTlsConfig config, CertificateState[] certificates, CertificateStore store, ClientTrust? trust, OpenSslLibrary? openSsl)
    {
        _config = config;
        _trust = trust;
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

    /// <param name="config">Valid: its certificates exist, and its cipher string can be translated.</param>
    /// <param name="certificates">By id; those of the set that the config is applied with.</param>
    /// <param name="store">Swaps them.</param>
    /// <param name="previous">The route's policy so far; it is kept when nothing has changed, and with it the sessions that clients can resume.</param>
    /// <param name="openSsl">What ends TLS; null = SslStream.</param>
    /// <param name="trust">What the files of <see cref="RouteTlsConfig.ClientCertificates"/> hold; null = clients are not asked for certificates.</param>
    public static TlsPolicy Compile(
        RouteTlsConfig config,
        IReadOnlyDictionary<string, CertificateState> certificates,
        CertificateStore store,
        TlsPolicy? previous = null,
        OpenSslLibrary? openSsl = null,
        ClientTrust? trust = null)
    {
        if (config.ClientCertificates is { Mode: not ClientCertificateMode.None } != trust is not null)
        {
            throw new ArgumentException("Who asks for certificates must say whose, and only who asks.", nameof(trust));
        }

        CertificateState[] states = [.. config.Certificates.Select(id => certificates[id])];
        ArgumentOutOfRangeException.ThrowIfZero(states.Length);
        return previous is not null && previous._store == store && previous.OpenSsl == openSsl && previous._certificates.SequenceEqual(states) && HasSameOffer(previous._config, config)
            && (trust?.IsSameAs(previous._trust) ?? previous._trust is null)
            ? previous
            : new TlsPolicy(config, states, store, trust, openSsl);
    }

    /// <summary>What ends TLS under this policy; null = SslStream.</summary>
    public OpenSslLibrary? OpenSsl { get; }

    /// <summary>Judges one client's certificate for SslStream; null = it is not asked for one.</summary>
    public ClientCertificateJudge? NewJudge() => _trust is null ? null : new ClientCertificateJudge(_config.ClientCertificates!);

    /// <summary>Options for a client that asked for a name; the same object until the certificate changes.</summary>
    /// <param name="serverName">As our own parser found it: lower case, no trailing dot; null = none.</param>
    public SslServerAuthenticationOptions GetOptions(string? serverName) => Choose(serverName).Leader.Options;

    /// <summary>Which certificate such a client gets.</summary>
    public string GetCertificateId(string? serverName) => Choose(serverName).Leader.State.Id;

    /// <summary>Whether such a client is to be refused, as there is no certificate for it yet.</summary>
    public bool IsRefused(string? serverName) => Choose(serverName).Leader.Entry.IsRefused;

    /// <summary>What OpenSSL shakes hands with such a client with.</summary>
    public OpenSslContext GetOpenSslContext(string? serverName) => Choose(serverName).Context;

    private Offer Choose(string? serverName)
    {
        var table = _table;
        return (table.Version == _store.Version ? table : Rebuild()).Choose(serverName);
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

        if (OpenSsl is not null && !OpenSslContext.Check(_config, _trust, [entry], out _, out var error))
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
        ClientCertificateRequired = _trust is not null,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = _trust is null ? null : ClientCertificateJudge.ChainPolicyOf(_trust),
        // Elsewhere sessions are kept by the system, where nothing keeps those of two routes apart. And a resumed session brings its client's certificate
        // but not the chain that led to it.
        AllowTlsResume = OperatingSystem.IsLinux() && _trust is null,
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
        // The string rules TLS 1.2 alone; without that version it would only cost resumption.
        if (config.Ciphers is null || !config.Protocols.Contains(TlsVersion.Tls12))
        {
            return null;
        }

        if (OperatingSystem.IsWindows() || OperatingSystem.IsAndroid())
        {
            throw new PlatformNotSupportedException("Cipher suites are chosen by the system here; leave Ciphers out.");
        }

        if (!CipherString.TryParse(config.Ciphers, out var suites, out var error))
        {
            throw new ArgumentException(error, nameof(config));
        }

        // OpenSSL's own order for TLS 1.3. SslStream refuses a list without any of them when the version is on.
        TlsCipherSuite[] tls13 = config.Protocols.Contains(TlsVersion.Tls13)
            ? [TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, TlsCipherSuite.TLS_AES_128_GCM_SHA256]
            : [];
        return new CipherSuitesPolicy([.. tls13, .. suites]);
    }

    private static bool HasSameOffer(RouteTlsConfig left, RouteTlsConfig right) =>
        left with { Certificates = [], Protocols = [], Alpn = [] } == right with { Certificates = [], Protocols = [], Alpn = [] }
        && left.Protocols.Order().SequenceEqual(right.Protocols.Order())
        && left.Alpn.SequenceEqual(right.Alpn);
}
