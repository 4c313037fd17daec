using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using KestrelStream.Configuration;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>
/// What OpenSSL needs to shake hands under one policy with one certificate (or one for each kind of key). Immutable; thread-safe.
/// </summary>
/// <remarks>
/// Each context makes its own ticket keys, and keeps no session itself: what it has issued opens nowhere else, and only under the name it was issued
/// for. A certificate that was swapped or a policy that was changed is another context.
/// </remarks>
internal sealed class OpenSslContext
{
    private const int MaxNameBytes = 256;

    private static long s_lastId;

    private readonly OpenSslContextHandle _handle;
    private readonly long _id = Interlocked.Increment(ref s_lastId);

    private OpenSslContext(OpenSslContextHandle handle, byte[][] alpn)
    {
        _handle = handle;
        Alpn = alpn;
    }

    /// <summary>In the server's order; empty = the extension is not answered.</summary>
    public byte[][] Alpn { get; }

    /// <param name="config">Of the route.</param>
    /// <param name="certificates">At most one for each kind of key.</param>
    /// <param name="key">The key of <paramref name="config"/> that OpenSSL refuses; null when there is a context.</param>
    /// <param name="error">Why.</param>
    public static OpenSslContext? Create(RouteTlsConfig config, IEnumerable<CertificateEntry> certificates, out string? key, out OpenSslError error)
    {
        OpenSslNative.ERR_clear_error();
        var handle = OpenSslContextHandle.New();
        key = handle.IsInvalid ? nameof(config.Mode) : Apply(handle.DangerousGetHandle(), config);
        if (key is null && !certificates.All(certificate => OpenSslCertificate.Use(handle.DangerousGetHandle(), certificate)))
        {
            key = nameof(config.Certificates);
        }

        if (key is null)
        {
            error = default;
            return new OpenSslContext(handle, [.. config.Alpn.Select(Encoding.Latin1.GetBytes)]);
        }

        error = OpenSslError.Take();
        handle.Dispose();
        return null;
    }

    /// <summary>Whether OpenSSL takes a certificate under this context's settings. Spoils the context: for one that serves nobody.</summary>
    public bool Takes(CertificateEntry certificate, out OpenSslError error)
    {
        OpenSslNative.ERR_clear_error();
        error = default;
        if (OpenSslCertificate.Use(_handle.DangerousGetHandle(), certificate))
        {
            return true;
        }

        error = OpenSslError.Take();
        return false;
    }

    /// <summary>A server's SSL, owned by the caller; 0 = no memory.</summary>
    /// <param name="serverName">As our own parser found it.</param>
    public unsafe nint NewSession(string? serverName)
    {
        var ssl = OpenSslNative.SSL_new(_handle.DangerousGetHandle());
        GC.KeepAlive(_handle);
        if (ssl == 0)
        {
            return 0;
        }

        // RFC 6066 §3: no session is resumed under another name. OpenSSL compares this with what the ticket holds.
        Span<byte> scope = stackalloc byte[sizeof(long) + MaxNameBytes];
        BinaryPrimitives.WriteInt64LittleEndian(scope, _id);
        var count = sizeof(long) + Encoding.Latin1.GetBytes(serverName, scope[sizeof(long)..]);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(scope[..count], digest);
        fixed (byte* bytes = digest)
        {
            if (OpenSslNative.SSL_set_session_id_context(ssl, bytes, (uint)digest.Length) == 1)
            {
                OpenSslNative.SSL_set_accept_state(ssl);
                return ssl;
            }
        }

        OpenSslNative.SSL_free(ssl);
        return 0;
    }

    /// <summary>The key that is to blame; null = none.</summary>
    private static unsafe string? Apply(nint context, RouteTlsConfig config)
    {
        var options = OpenSslNative.OpNoCompression | OpenSslNative.OpNoRenegotiation | (config.PreferServerCiphers ? OpenSslNative.OpServerPreference : 0);
        _ = OpenSslNative.SSL_CTX_set_options(context, options);
        OpenSslNative.SetMode(
            context, OpenSslNative.ModeReleaseBuffers | OpenSslNative.ModeEnablePartialWrite | OpenSslNative.ModeAcceptMovingWriteBuffer);

        // Tickets are kept by clients; a cache would be memory that clients fill.
        OpenSslNative.SetSessionCacheMode(context, OpenSslNative.SessionCacheOff);
        OpenSslCallbacks.Set(context, hasAlpn: config.Alpn.Count > 0);
        var versions = config.Protocols.Select(version => version == TlsVersion.Tls13 ? OpenSslNative.Tls13 : OpenSslNative.Tls12).ToArray();
        if (!OpenSslNative.SetVersions(context, versions.Min(), versions.Max()))
        {
            return nameof(config.Protocols);
        }

        if (config.Ciphers is not { } ciphers)
        {
            return null;
        }

        fixed (byte* text = Encoding.UTF8.GetBytes(ciphers + '\0'))
        {
            return OpenSslNative.SSL_CTX_set_cipher_list(context, text) == 1 ? null : nameof(config.Ciphers);
        }
    }
}
