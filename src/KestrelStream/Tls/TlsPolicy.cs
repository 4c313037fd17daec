using System.Net.Security;
using System.Security.Authentication;
using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>
/// What a terminating route offers, compiled. Immutable but for its certificates, which are swapped when their files change. Thread-safe; one lookup and
/// no allocation per connection.
/// </summary>
/// <remarks>
/// Sessions are resumed under the policy they began under and no other: see <see cref="IsolationOf"/>. With a cipher list nothing is resumed, because
/// SslStream then makes a new TLS context for every connection. The server's order of suites always wins: SslStream knows no other way.
/// </remarks>
internal sealed class TlsPolicy
{
    // Bits that SslProtocols leaves unused: 14 to 31.
    private const int IsolationShift = 14;
    private const int IsolationMask = (1 << (32 - IsolationShift)) - 1;

    private static int s_lastIsolation;

    private readonly RouteTlsConfig _config;
    private readonly CertificateStore _store;
    private readonly CertificateState[] _certificates;
    private readonly SslProtocols _protocols;
    private readonly CipherSuitesPolicy? _cipherSuites;
    private readonly List<SslApplicationProtocol> _alpn;
    private readonly Lock _rebuilding = new();
    private volatile Table _table;

    private TlsPolicy(RouteTlsConfig config, CertificateState[] certificates, CertificateStore store)
    {
        _config = config;
        _store = store;
        _certificates = certificates;
        _cipherSuites = CipherSuitesOf(config);
        _protocols = ProtocolsOf(config) | (_cipherSuites is null ? IsolationOf(Interlocked.Increment(ref s_lastIsolation)) : 0);
        // Empty, not null: null would let Kestrel add h2 and http/1.1.
        _alpn = [.. config.Alpn.Select(name => new SslApplicationProtocol(name))];
        _table = new Table(store.Version, [.. certificates.Select(state => new Choice(state, state.Current, OptionsOf(state.Current)))]);
    }

    /// <param name="config">Valid: its certificates exist, and its cipher string can be translated.</param>
    /// <param name="certificates">By id; those of the set that the config is applied with.</param>
    /// <param name="store">Swaps them.</param>
    /// <param name="previous">The route's policy so far; it is kept when nothing has changed, and with it the sessions that clients can resume.</param>
    public static TlsPolicy Compile(
        RouteTlsConfig config, IReadOnlyDictionary<string, CertificateState> certificates, CertificateStore store, TlsPolicy? previous = null)
    {
        CertificateState[] states = [.. config.Certificates.Select(id => certificates[id])];
        ArgumentOutOfRangeException.ThrowIfZero(states.Length);
        return previous is not null && previous._store == store && previous._certificates.SequenceEqual(states) && HasSameOffer(previous._config, config)
            ? previous
            : new TlsPolicy(config, states, store);
    }

    /// <summary>Options for a client that asked for a name; the same object until the certificate changes.</summary>
    /// <param name="serverName">As our own parser found it: lower case, no trailing dot; null = none.</param>
    public SslServerAuthenticationOptions GetOptions(string? serverName) => Choose(serverName).Options;

    /// <summary>Which certificate such a client gets.</summary>
    public string GetCertificateId(string? serverName) => Choose(serverName).State.Id;

    private Choice Choose(string? serverName)
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
            return table.Version == version ? table : _table = new Table(version, [.. table.Choices.Select(Renew)]);
        }
    }

    private Choice Renew(Choice choice) =>
        choice.State.Current is var entry && entry == choice.Entry ? choice : new Choice(choice.State, entry, OptionsOf(entry));

    private SslServerAuthenticationOptions OptionsOf(CertificateEntry entry) => new()
    {
        ServerCertificateContext = entry.Context,
        EnabledSslProtocols = _protocols,
        CipherSuitesPolicy = _cipherSuites,
        ApplicationProtocols = _alpn,
        AllowRenegotiation = false,
        ClientCertificateRequired = false,
        CertificateRevocationCheckMode = System.Security.Cryptography.X509Certificates.X509RevocationMode.NoCheck,
        // Elsewhere sessions are kept by the system, where nothing keeps those of two routes apart.
        AllowTlsResume = OperatingSystem.IsLinux(),
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

    /// <summary>A certificate and the options that were made of it.</summary>
    private sealed record Choice(CertificateState State, CertificateEntry Entry, SslServerAuthenticationOptions Options);

    /// <summary>Finds the certificate for a name: exactly, then by wildcard, else the first one.</summary>
    private sealed class Table
    {
        private readonly Dictionary<string, Choice> _exact = new(StringComparer.OrdinalIgnoreCase);

        // By what follows the "*."; it stands for exactly one label (RFC 6125 §6.4.3), so that at most one wildcard can match.
        private readonly Dictionary<string, Choice>.AlternateLookup<ReadOnlySpan<char>> _wildcard =
            new Dictionary<string, Choice>(StringComparer.OrdinalIgnoreCase).GetAlternateLookup<ReadOnlySpan<char>>();

        public Table(int version, Choice[] choices)
        {
            Version = version;
            Choices = choices;
            foreach (var choice in choices)
            {
                foreach (var name in choice.Entry.DnsNames)
                {
                    if (name.StartsWith("*.", StringComparison.Ordinal))
                    {
                        _wildcard.Dictionary.TryAdd(name[2..], choice);
                    }
                    else
                    {
                        _exact.TryAdd(name, choice);
                    }
                }
            }
        }

        /// <summary>Of the store when this was made.</summary>
        public int Version { get; }

        /// <summary>In the order of the route's list.</summary>
        public Choice[] Choices { get; }

        public Choice Choose(string? serverName)
        {
            if (serverName is null)
            {
                return Choices[0];
            }

            if (_exact.TryGetValue(serverName, out var choice))
            {
                return choice;
            }

            var dot = serverName.IndexOf('.', StringComparison.Ordinal);
            return dot > 0 && _wildcard.TryGetValue(serverName.AsSpan(dot + 1), out choice) ? choice : Choices[0];
        }
    }
}
