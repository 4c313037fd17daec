namespace KestrelStream.Tls.OpenSsl;

/// <summary>Hands a loaded certificate to OpenSSL. Thread-safe.</summary>
internal static unsafe class OpenSslCertificate
{
    private const int Replace = 1;

    /// <summary>Sets leaf, key and the chain that is sent, for its kind of key. False = OpenSSL refuses; its queue says why.</summary>
    public static bool Use(OpenSslScope scope, nint context, CertificateEntry entry)
    {
        var leaf = Read(scope, entry.Certificate);
        var key = ReadKey(scope, entry.PrivateKey);
        var chain = OpenSslNative.OPENSSL_sk_new_null();
        var intermediates = new List<nint>();
        try
        {
            foreach (var certificate in entry.Chain)
            {
                var read = Read(scope, certificate.Der);
                intermediates.Add(read);
                if (read == 0 || OpenSslNative.OPENSSL_sk_push(chain, read) == 0)
                {
                    return false;
                }
            }

            return leaf != 0 && key != 0 && chain != 0 && OpenSslNative.SSL_CTX_use_cert_and_key(context, leaf, key, chain, Replace) == 1;
        }
        finally
        {
            OpenSslNative.OPENSSL_sk_free(chain);
            intermediates.ForEach(OpenSslNative.X509_free);
            OpenSslNative.X509_free(leaf);
            OpenSslNative.EVP_PKEY_free(key);
        }
    }

    /// <summary>0 = OpenSSL cannot read it.</summary>
    public static nint Read(OpenSslScope scope, ReadOnlySpan<byte> der)
    {
        var read = OpenSslNative.X509_new_ex(scope.LibraryContext, null);
        if (read == 0)
        {
            return 0;
        }

        fixed (byte* start = der)
        {
            var bytes = start;
            return OpenSslNative.d2i_X509(&read, &bytes, new(der.Length));
        }
    }

    private static nint ReadKey(OpenSslScope scope, ReadOnlySpan<byte> der)
    {
        fixed (byte* start = der)
        {
            var bytes = start;
            return OpenSslNative.d2i_AutoPrivateKey_ex(null, &bytes, new(der.Length), scope.LibraryContext, null);
        }
    }
}
