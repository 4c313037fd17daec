using System.Security.Cryptography;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Tls.Ocsp;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>
/// What OpenSSL needs to shake hands under one policy with one certificate (or one for each kind of key): an <c>SSL_CTX</c> for each loop, made for the
/// loop's first client. Immutable but for that and for its ticket keys; thread-safe.
/// </summary>
/// <remarks>
/// What it has issued opens nowhere else, and only under the name it was issued for: its ticket keys are made from its <see cref="PolicyFingerprint"/>. A
/// certificate that was swapped or a policy that was changed is another context.
/// </remarks>
internal sealed class OpenSslContext
{
    /// <summary>SSL_MAX_SID_CTX_LENGTH.</summary>
    private const int MaxScopeBytes = 32;

    private readonly OpenSslContextHandle?[] _handles = new OpenSslContextHandle?[OpenSslScope.Count];
    private readonly TlsPolicyBasis _basis;
    private readonly IReadOnlyList<CertificateEntry> _certificates;
    private readonly OcspStaple[]? _staples;
    private readonly byte[] _fingerprint;
    private volatile TicketSecrets? _tickets;

    /// <param name="basis">What the policy was made from.</param>
    /// <param name="certificates">At most one for each kind of key.</param>
    public OpenSslContext(TlsPolicyBasis basis, IReadOnlyList<CertificateEntry> certificates)
    {
        _basis = basis;
        _certificates = certificates;
        _staples = basis.Ocsp is { } ocsp ? [.. certificates.Select(ocsp.StapleOf)] : null;
        Cache = basis.Config.SessionCacheSize > 0 ? new SessionCache(basis.Config.SessionCacheSize) : null;
        _fingerprint = PolicyFingerprint.Of(basis, certificates);
        Alpn = [.. basis.Config.Alpn.Select(Encoding.Latin1.GetBytes)];
    }

    /// <summary>In the server's order; empty = the extension is not answered.</summary>
    public byte[][] Alpn { get; }

    /// <summary>Clients are asked for certificates.</summary>
    public bool AsksForCertificate => _basis.Trust is not null;

    /// <summary>Clients of TLS 1.3 get a ticket, or the number of a session that is kept here.</summary>
    public bool SendsTicket => IssuesTickets || Cache is not null;

    public bool IssuesTickets => _basis.TicketKeys is not null;

    /// <summary>Sessions of clients without tickets; null = they are not kept.</summary>
    public SessionCache? Cache { get; }

    /// <summary>Keys of tickets as they are now; null = none are issued.</summary>
    public TicketSecrets? Tickets
    {
        get
        {
            if (_basis.TicketKeys?.Current is not { } source)
            {
                return null;
            }

            // Two loops may both make them: they are the same.
            return _tickets is { } made && made.Source == source ? made : _tickets = TicketSecrets.Derive(source, _fingerprint);
        }
    }

    /// <summary>What is stapled to a certificate; null = nothing.</summary>
    /// <param name="scope">Of the caller's loop.</param>
    /// <param name="certificate">That a handshake there has chosen.</param>
    public byte[]? AnswerFor(OpenSslScope scope, nint certificate)
    {
        var number = _handles[scope.Index]?.Certificates.IndexOf(certificate) ?? -1;
        return number < 0 || _staples is null ? null : _staples[number].Current;
    }

    /// <summary>Asks OpenSSL without serving anybody. False = it refuses.</summary>
    /// <param name="config">Of a route.</param>
    /// <param name="trust">Of the route's clients; null = they are not asked for certificates.</param>
    /// <param name="certificates">One after the other, whatever their keys.</param>
    /// <param name="refused">The key of <paramref name="config"/> that it refuses; null = a certificate.</param>
    /// <param name="refusedCertificate">The certificate; null = none.</param>
    /// <param name="error">Why.</param>
    public static bool Check(RouteTlsConfig config, ClientTrust? trust, IEnumerable<CertificateEntry> certificates, out string? refused, out CertificateEntry? refusedCertificate, out OpenSslError error)
    {
        OpenSslNative.ERR_clear_error();
        using var handle = OpenSslContextHandle.New(OpenSslScope.Shared);
        var context = handle.DangerousGetHandle();
        refused = handle.IsInvalid ? nameof(config.Mode) : Apply(OpenSslScope.Shared, context, config, trust);
        refusedCertificate = refused is null ? certificates.FirstOrDefault(certificate => !OpenSslCertificate.Use(OpenSslScope.Shared, context, certificate)) : null;
        var isGood = refused is null && refusedCertificate is null;
        error = isGood ? default : OpenSslError.Take();
        if (refused == nameof(config.Groups))
        {
            error = error with { Text = OpenSslKeyExchange.WhyNotGroups(context, config.Groups!) };
        }

        return isGood;
    }

    /// <summary>A server's SSL, owned by the caller; 0 = no memory.</summary>
    /// <param name="scope">Of the caller's loop.</param>
    /// <param name="serverName">As our own parser found it.</param>
    public unsafe nint NewSession(OpenSslScope scope, string? serverName)
    {
        var ssl = New(scope);
        if (ssl == 0)
        {
            return 0;
        }

        // RFC 6066 §3: no session is resumed under another name. OpenSSL compares this with what the ticket holds.
        Span<byte> name = stackalloc byte[MaxScopeBytes];
        var count = WriteScope(serverName, name);
        fixed (byte* bytes = name)
        {
            if (OpenSslNative.SSL_set_session_id_context(ssl, bytes, (uint)count) == 1)
            {
                OpenSslNative.SSL_set_accept_state(ssl);
                return ssl;
            }
        }

        OpenSslNative.SSL_free(ssl);
        return 0;
    }

    /// <summary>Frees what was made, but for sessions that run, which have references of their own; it is made again for who asks again.</summary>
    public void Release()
    {
        lock (_handles)
        {
            for (var i = 0; i < _handles.Length; i++)
            {
                _handles[i]?.Dispose();
                Volatile.Write(ref _handles[i], null);
            }
        }
    }

    private nint New(OpenSslScope scope)
    {
        while ((Volatile.Read(ref _handles[scope.Index]) ?? MakeHandle(scope)) is { } handle)
        {
            var isHeld = false;
            try
            {
                handle.DangerousAddRef(ref isHeld);
                return OpenSslNative.SSL_new(handle.DangerousGetHandle());
            }
            catch (ObjectDisposedException)
            {
                // Released a moment ago.
            }
            finally
            {
                if (isHeld)
                {
                    handle.DangerousRelease();
                }
            }
        }

        return 0;
    }

    /// <summary>Short names as they are, behind a zero; of long ones the digest, behind a one.</summary>
    private static int WriteScope(string? serverName, Span<byte> scope)
    {
        var length = serverName?.Length ?? 0;
        if (length < MaxScopeBytes)
        {
            scope[0] = 0;
            return 1 + Encoding.Latin1.GetBytes(serverName, scope[1..]);
        }

        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.Latin1.GetBytes(serverName!), digest);
        scope[0] = 1;
        digest[..(MaxScopeBytes - 1)].CopyTo(scope[1..]);
        return MaxScopeBytes;
    }

    /// <summary>Null = OpenSSL refuses what it did not when it was asked by <see cref="Check"/>.</summary>
    private OpenSslContextHandle? MakeHandle(OpenSslScope scope)
    {
        lock (_handles)
        {
            if (_handles[scope.Index] is { } made)
            {
                return made;
            }

            var handle = OpenSslContextHandle.New(scope);
            if (!handle.IsInvalid
                && Apply(scope, handle.DangerousGetHandle(), _basis.Config, _basis.Trust) is null
                && _certificates.All(certificate => handle.Use(scope, certificate))
                && (_staples is null || OpenSslStapling.Set(handle.DangerousGetHandle())))
            {
                Volatile.Write(ref _handles[scope.Index], handle);
                return handle;
            }

            handle.Dispose();
            return null;
        }
    }

    /// <summary>The key that is to blame; null = none.</summary>
    private static string? Apply(OpenSslScope scope, nint context, RouteTlsConfig config, ClientTrust? trust)
    {
        // In our own order, but not in one that was configured, clients without instructions for AES are obeyed: they put ChaCha20 first.
        var options = OpenSslNative.OpNoCompression | OpenSslNative.OpNoRenegotiation
            | (config.PreferServerCiphers ? OpenSslNative.OpServerPreference : 0)
            | (config is { PreferServerCiphers: true, Ciphers: null, CipherSuites: null } ? OpenSslNative.OpPrioritizeChaCha : 0);
        _ = OpenSslNative.SSL_CTX_set_options(context, options);
        OpenSslNative.SetMode(context, OpenSslNative.ModeEnablePartialWrite | OpenSslNative.ModeAcceptMovingWriteBuffer);

        if (!ApplyResumption(context, config))
        {
            return nameof(config.SessionResumption);
        }

        OpenSslCallbacks.Set(context, hasAlpn: config.Alpn.Count > 0);
        var versions = config.Protocols.Select(version => version == TlsVersion.Tls13 ? OpenSslNative.Tls13 : OpenSslNative.Tls12).ToArray();
        if (!OpenSslNative.SetVersions(context, versions.Min(), versions.Max()))
        {
            return nameof(config.Protocols);
        }

        return config.Ciphers is { } ciphers && !OpenSslKeyExchange.SetCiphers(context, ciphers) ? nameof(config.Ciphers)
            : !(config.CipherSuites is { } suites ? OpenSslKeyExchange.SetSuites(context, suites) : OpenSslKeyExchange.SetQuickSuites(context)) ? nameof(config.CipherSuites)
            : !TlsGroups.AreDefault(config.Groups) && !OpenSslKeyExchange.SetGroups(context, config.Groups!) ? nameof(config.Groups)
            : trust is null ? null
            : OpenSslTrust.Apply(scope, context, config.ClientCertificates!, trust);
    }

    private static bool ApplyResumption(nint context, RouteTlsConfig config)
    {
        if (config.SessionCacheSize > 0)
        {
            OpenSslSessionCache.Set(context);
        }
        else
        {
            OpenSslNative.SetSessionCacheMode(context, OpenSslNative.SessionCacheOff);
        }

        _ = OpenSslNative.SSL_CTX_set_num_tickets(context, 0); // OpenSslSession sends one.
        if (!config.Resumes || config.SessionTickets is { Enabled: false })
        {
            _ = OpenSslNative.SSL_CTX_set_options(context, OpenSslNative.OpNoTicket);
        }

        _ = OpenSslNative.SSL_CTX_set_timeout(context, new((nint)config.SessionTimeout.TotalSeconds));
        return OpenSslTickets.Set(context);
    }
}
