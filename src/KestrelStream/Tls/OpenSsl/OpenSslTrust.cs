using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using KestrelStream.Configuration;
using KestrelStream.Tls.Upstream;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>Makes OpenSSL verify certificates of clients and of destinations, and says who a peer is. Thread-safe.</summary>
internal static unsafe class OpenSslTrust
{
    /// <summary>The key below <see cref="RouteTlsConfig"/> that is to blame; null = none.</summary>
    /// <param name="scope">Of the context.</param>
    /// <param name="context">An SSL_CTX that serves nobody yet.</param>
    /// <param name="config">With a mode other than None.</param>
    /// <param name="trust">What its files hold.</param>
    public static string? Apply(OpenSslScope scope, nint context, ClientCertificatesConfig config, ClientTrust trust)
    {
        const string certificatesKey = $"{nameof(RouteTlsConfig.ClientCertificates)}:{nameof(ClientCertificatesConfig.TrustedCertificates)}";
        var store = OpenSslNative.X509_STORE_new();
        if (store == 0)
        {
            return certificatesKey;
        }

        var refused = trust.Certificates.All(certificate => Add(scope, context, store, certificate)) ? null : certificatesKey;
        if (refused is null && trust.Crls is { } crls && !AddCrls(scope, store, crls))
        {
            refused = $"{nameof(RouteTlsConfig.ClientCertificates)}:{nameof(ClientCertificatesConfig.Crl)}";
        }

        if (refused is not null || !OpenSslNative.SetVerifyStore(context, store))
        {
            OpenSslNative.X509_STORE_free(store);
            return refused ?? certificatesKey;
        }

        OpenSslNative.SSL_CTX_set_verify_depth(context, config.Depth);
        OpenSslNative.SSL_CTX_set_verify(
            context,
            OpenSslNative.VerifyPeer | (config.Mode == ClientCertificateMode.Require ? OpenSslNative.VerifyFailIfNoPeerCertificate : 0),
            0);
        return OpenSslNative.SSL_CTX_set_session_ticket_cb(context, null, &OnTicket, 0) == 1 ? null : certificatesKey;
    }

    /// <summary>Of a handshake that has ended well; null = the client has shown none.</summary>
    public static ClientCertificate? CertificateOf(nint ssl)
    {
        var certificate = OpenSslNative.SSL_get0_peer_certificate(ssl);
        return certificate != 0 && DerOf(certificate) is { Length: > 0 } der ? ClientCertificate.Of(der) with { IssuerDer = IssuerOf(ssl) } : null;
    }

    /// <summary>Whether a finished handshake, a resumed one too, is one that the mode allows. OpenSSL has seen to it; this is the second lock on the door.</summary>
    public static bool IsSatisfied(nint ssl)
    {
        var mode = OpenSslNative.SSL_get_verify_mode(ssl);
        return mode == 0
            || (OpenSslNative.SSL_get_verify_result(ssl).Value == 0
                && ((mode & OpenSslNative.VerifyFailIfNoPeerCertificate) == 0 || OpenSslNative.SSL_get0_peer_certificate(ssl) != 0));
    }

    /// <summary>Makes OpenSSL verify the destinations it connects to. False = it refuses the authorities.</summary>
    /// <param name="scope">Of the context.</param>
    /// <param name="context">An SSL_CTX that nobody uses yet.</param>
    /// <param name="trust">Whom to trust; null = the authorities of this system.</param>
    public static bool ApplyToServers(OpenSslScope scope, nint context, TrustedAuthorities? trust)
    {
        OpenSslNative.SSL_CTX_set_verify(context, OpenSslNative.VerifyPeer, 0);
        if (trust is null)
        {
            return OpenSslNative.SSL_CTX_set_default_verify_paths(context) == 1;
        }

        var store = OpenSslNative.X509_STORE_new();
        if (store != 0 && trust.Certificates.All(certificate => AddTo(scope, store, certificate)) && OpenSslNative.SetVerifyStore(context, store))
        {
            return true;
        }

        OpenSslNative.X509_STORE_free(store);
        return false;
    }

    /// <summary>Whether the destination of a finished handshake, a resumed one too, was verified.</summary>
    public static bool IsServerVerified(nint ssl) => OpenSslNative.SSL_get_verify_result(ssl).Value == 0 && OpenSslNative.SSL_get0_peer_certificate(ssl) != 0;

    /// <summary>The certificate that a destination has shown, good or not; empty = it is not known.</summary>
    public static byte[] ShownBy(nint ssl)
    {
        var chain = OpenSslNative.SSL_get0_verified_chain(ssl);
        var certificate = chain == 0 ? 0 : OpenSslNative.OPENSSL_sk_value(chain, 0);
        return certificate == 0 ? [] : DerOf(certificate);
    }

    /// <summary>What was wrong with the peer's certificate; null = nothing, or it has shown none.</summary>
    public static string? WhyNot(nint ssl)
    {
        var result = OpenSslNative.SSL_get_verify_result(ssl);
        return result.Value == 0 ? null : Marshal.PtrToStringUTF8((nint)OpenSslNative.X509_verify_cert_error_string(result));
    }

    /// <summary>In the chain that was verified, where a root that is a client itself is its own.</summary>
    private static byte[] IssuerOf(nint ssl)
    {
        var chain = OpenSslNative.SSL_get0_verified_chain(ssl);
        var issuer = chain == 0 ? 0 : OpenSslNative.OPENSSL_sk_value(chain, Math.Min(1, OpenSslNative.OPENSSL_sk_num(chain) - 1));
        return issuer == 0 ? [] : DerOf(issuer);
    }

    private static byte[] DerOf(nint certificate)
    {
        var der = new byte[Math.Max(0, OpenSslNative.i2d_X509(certificate, null))];
        fixed (byte* start = der)
        {
            var bytes = start;
            _ = der.Length == 0 ? 0 : OpenSslNative.i2d_X509(certificate, &bytes);
        }

        return der;
    }

    private static bool AddTo(OpenSslScope scope, nint store, System.Security.Cryptography.X509Certificates.X509Certificate2 certificate)
    {
        var read = OpenSslCertificate.Read(scope, certificate.RawDataMemory.Span);
        var isAdded = read != 0 && OpenSslNative.X509_STORE_add_cert(store, read) == 1;
        OpenSslNative.X509_free(read);
        return isAdded;
    }

    /// <summary>Whether the certificate in a session, which is verified no more, is one that the mode allows, and has not expired meanwhile.</summary>
    public static bool MayResume(nint ssl, nint session)
    {
        var certificate = OpenSslNative.SSL_SESSION_get0_peer(session);
        return certificate == 0
            ? (OpenSslNative.SSL_get_verify_mode(ssl) & OpenSslNative.VerifyFailIfNoPeerCertificate) == 0
            : OpenSslNative.X509_cmp_current_time(OpenSslNative.X509_get0_notAfter(certificate)) > 0;
    }

    private static bool Add(OpenSslScope scope, nint context, nint store, System.Security.Cryptography.X509Certificates.X509Certificate2 certificate)
    {
        var read = OpenSslCertificate.Read(scope, certificate.RawDataMemory.Span);
        var isAdded = read != 0 && OpenSslNative.X509_STORE_add_cert(store, read) == 1 && OpenSslNative.SSL_CTX_add_client_CA(context, read) == 1;
        OpenSslNative.X509_free(read);
        return isAdded;
    }

    private static bool AddCrls(OpenSslScope scope, nint store, IReadOnlyList<byte[]> crls)
    {
        foreach (var der in crls)
        {
            var crl = OpenSslNative.X509_CRL_new_ex(scope.LibraryContext, null);
            fixed (byte* start = der)
            {
                var bytes = start;
                crl = crl == 0 ? 0 : OpenSslNative.d2i_X509_CRL(&crl, &bytes, new(der.Length));
            }

            var isAdded = crl != 0 && OpenSslNative.X509_STORE_add_crl(store, crl) == 1;
            OpenSslNative.X509_CRL_free(crl);
            if (!isAdded)
            {
                return false;
            }
        }

        // Of the whole chain: an authority that was revoked must not go on issuing.
        return OpenSslNative.X509_STORE_set_flags(store, new(OpenSslNative.CheckCrl | OpenSslNative.CheckCrlOfWholeChain)) == 1;
    }

    /// <summary>
    /// A resumed session is verified no more: its certificate is the one in the ticket. So a ticket without one where one is required, or with one
    /// that has expired meanwhile, leads to a whole handshake.
    /// </summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnTicket(nint ssl, nint session, byte* keyName, nuint keyNameCount, int status, nint argument)
    {
        if (status is not (OpenSslNative.TicketSuccess or OpenSslNative.TicketSuccessRenew))
        {
            return OpenSslNative.TicketIgnoreAndRenew;
        }

        return !MayResume(ssl, session) ? OpenSslNative.TicketIgnoreAndRenew
            : status == OpenSslNative.TicketSuccess ? OpenSslNative.TicketUse
            : OpenSslNative.TicketUseAndRenew;
    }
}
