using System.Net;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Tls.Upstream;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>
/// What OpenSSL needs to shake hands with the destinations of one cluster: an <c>SSL_CTX</c> and a cache of sessions for each loop, made for the loop's
/// first dial. Immutable but for that; thread-safe. Other trust, another client certificate or other rules are another context.
/// </summary>
internal sealed unsafe class OpenSslClientContext
{
    private readonly Part?[] _parts = new Part?[OpenSslScope.Count];
    private readonly UpstreamTlsConfig _config;
    private readonly TrustedAuthorities? _trust;
    private readonly CertificateEntry? _certificate;

    /// <param name="config">Of the cluster.</param>
    /// <param name="trust">What its file of authorities holds; null = those of the system.</param>
    /// <param name="certificate">Shown to destinations that ask; null = none.</param>
    public OpenSslClientContext(UpstreamTlsConfig config, TrustedAuthorities? trust, CertificateEntry? certificate)
    {
        _config = config;
        _trust = trust;
        _certificate = certificate;
    }

    /// <summary>Asks OpenSSL without dialling anybody. False = it refuses.</summary>
    /// <param name="config">Of a cluster.</param>
    /// <param name="trust">What its file of authorities holds.</param>
    /// <param name="certificate">Shown to destinations.</param>
    /// <param name="refused">The key of <paramref name="config"/> that it refuses.</param>
    /// <param name="error">Why.</param>
    public static bool Check(UpstreamTlsConfig config, TrustedAuthorities? trust, CertificateEntry? certificate, out string? refused, out OpenSslError error)
    {
        OpenSslNative.ERR_clear_error();
        using var handle = OpenSslContextHandle.NewClient(OpenSslScope.Shared);
        refused = handle.IsInvalid ? nameof(config.Enabled) : Apply(OpenSslScope.Shared, handle.DangerousGetHandle(), config, trust, certificate);
        error = refused is null ? default : OpenSslError.Take();
        if (refused == nameof(config.Groups))
        {
            error = error with { Text = OpenSslKeyExchange.WhyNotGroups(handle.DangerousGetHandle(), config.Groups!) };
        }

        return refused is null;
    }

    /// <summary>Null = no memory, or a name that cannot be sent.</summary>
    /// <param name="buffers">Of the caller's loop.</param>
    /// <param name="member">Its address.</param>
    /// <param name="name">It is called by.</param>
    public OpenSslClientSession? NewSession(TlsBuffers buffers, EndPoint member, in UpstreamName name)
    {
        OpenSslNative.ERR_clear_error();
        var part = Volatile.Read(ref _parts[buffers.Scope.Index]) ?? MakePart(buffers.Scope);
        var ssl = part is null ? 0 : OpenSslNative.SSL_new(part.Handle.DangerousGetHandle());
        GC.KeepAlive(part);
        if (ssl == 0)
        {
            return null;
        }

        var bio = SetName(ssl, name) ? BioMethod.NewBio(buffers) : 0;
        if (bio == 0)
        {
            OpenSslNative.SSL_free(ssl);
            return null;
        }

        OpenSslNative.SSL_set_bio(ssl, bio, bio);
        OpenSslNative.SSL_set_connect_state(ssl);
        var text = name.ToString();
        part!.Sessions?.Offer(ssl, member, text);
        return new OpenSslClientSession(ssl, buffers, _config.Verify, part.Sessions, member, text);
    }

    /// <summary>Host names are asked for and verified; addresses are only verified (RFC 6066 §3: they are no server names).</summary>
    private bool SetName(nint ssl, in UpstreamName name)
    {
        var parameters = OpenSslNative.SSL_get0_param(ssl);
        OpenSslNative.X509_VERIFY_PARAM_set_hostflags(parameters, OpenSslNative.CheckNeverSubject | OpenSslNative.CheckNoPartialWildcards);
        if (name.Address is { } address)
        {
            fixed (byte* bytes = address.GetAddressBytes())
            {
                return OpenSslNative.X509_VERIFY_PARAM_set1_ip(parameters, bytes, (nuint)(address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? 4 : 16)) == 1;
            }
        }

        if (name.Host is not { } host)
        {
            return !_config.Verify;
        }

        fixed (byte* bytes = Encoding.Latin1.GetBytes(host + '\0'))
        {
            return OpenSslNative.X509_VERIFY_PARAM_set1_host(parameters, bytes, (nuint)host.Length) == 1 && OpenSslNative.SetServerName(ssl, bytes);
        }
    }

    /// <summary>Null = OpenSSL refuses what it did not when it was asked by <see cref="Check"/>.</summary>
    private Part? MakePart(OpenSslScope scope)
    {
        lock (_parts)
        {
            if (_parts[scope.Index] is { } made)
            {
                return made;
            }

            var handle = OpenSslContextHandle.NewClient(scope);
            if (handle.IsInvalid || Apply(scope, handle.DangerousGetHandle(), _config, _trust, _certificate) is not null)
            {
                handle.Dispose();
                return null;
            }

            var part = new Part(handle, _config.SessionResumption ? new OpenSslClientSessions() : null);
            Volatile.Write(ref _parts[scope.Index], part);
            return part;
        }
    }

    /// <summary>The key that is to blame; null = none.</summary>
    private static string? Apply(OpenSslScope scope, nint context, UpstreamTlsConfig config, TrustedAuthorities? trust, CertificateEntry? certificate)
    {
        _ = OpenSslNative.SSL_CTX_set_options(context, OpenSslNative.OpNoCompression | OpenSslNative.OpNoRenegotiation);
        OpenSslNative.SetMode(context, OpenSslNative.ModeEnablePartialWrite | OpenSslNative.ModeAcceptMovingWriteBuffer);
        OpenSslNative.SetSessionCacheMode(context, config.SessionResumption ? OpenSslNative.SessionCacheClientOfOurs : OpenSslNative.SessionCacheOff);
        OpenSslCallbacks.SetClient(context);
        var versions = config.EffectiveProtocols.Select(version => version == TlsVersion.Tls13 ? OpenSslNative.Tls13 : OpenSslNative.Tls12).ToArray();
        if (!OpenSslNative.SetVersions(context, versions.Min(), versions.Max()))
        {
            return nameof(config.Protocols);
        }

        return config.Ciphers is { } ciphers && !OpenSslKeyExchange.SetCiphers(context, ciphers) ? nameof(config.Ciphers)
            : config.CipherSuites is { } suites && !OpenSslKeyExchange.SetSuites(context, suites) ? nameof(config.CipherSuites)
            : !TlsGroups.AreDefault(config.Groups) && !OpenSslKeyExchange.SetGroups(context, config.Groups!) ? nameof(config.Groups)
            : !SetAlpn(context, config.Alpn) ? nameof(config.Alpn)
            : certificate is not null && !OpenSslCertificate.Use(scope, context, certificate) ? nameof(config.Certificate)
            : config.Verify && !OpenSslTrust.ApplyToServers(scope, context, trust) ? nameof(config.TrustedCertificates)
            : null;
    }

    private static bool SetAlpn(nint context, IReadOnlyList<string> protocols)
    {
        var list = new List<byte>();
        foreach (var name in protocols.Select(Encoding.UTF8.GetBytes))
        {
            list.Add((byte)name.Length);
            list.AddRange(name);
        }

        fixed (byte* bytes = list.ToArray())
        {
            return list.Count == 0 || OpenSslNative.SSL_CTX_set_alpn_protos(context, bytes, (uint)list.Count) == 0;
        }
    }

    /// <summary>What one loop has.</summary>
    private sealed record Part(OpenSslContextHandle Handle, OpenSslClientSessions? Sessions);
}
