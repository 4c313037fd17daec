using System.Globalization;
using System.Runtime.InteropServices;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>The OpenSSL of this system, found to be usable. Never unloaded. Thread-safe.</summary>
internal sealed class OpenSslLibrary
{
    private const uint Major = 3;

    private OpenSslLibrary(string version) => Version = version;

    /// <summary>As <c>OpenSSL 3.0.19 27 Jan 2026</c>.</summary>
    public string Version { get; }

    /// <param name="whyNot">As the end of a sentence; null when there is a library.</param>
    /// <param name="ssl">File name of libssl.</param>
    /// <param name="crypto">File name of libcrypto.</param>
    public static unsafe OpenSslLibrary? Probe(out string? whyNot, string ssl = OpenSslNative.Ssl, string crypto = OpenSslNative.Crypto)
    {
        whyNot = WhyNot(ssl, "SSL_CTX_set_client_hello_cb", out _) ?? WhyNot(crypto, "OPENSSL_version_major", out var major);
        if (whyNot is not null)
        {
            return null;
        }

        // Asked of the file that was found, before anything else of it is called.
        WhyNot(crypto, "OPENSSL_version_major", out major);
        if (((delegate* unmanaged[Cdecl]<uint>)major)() != Major)
        {
            whyNot = string.Create(CultureInfo.InvariantCulture, $"{crypto} is not of version {Major}");
            return null;
        }

        return new OpenSslLibrary(Marshal.PtrToStringUTF8((nint)OpenSslNative.OpenSSL_version(0))!);
    }

    private static string? WhyNot(string file, string symbol, out nint address)
    {
        address = 0;
        return !NativeLibrary.TryLoad(file, typeof(OpenSslLibrary).Assembly, null, out var library) ? $"{file} cannot be loaded"
            : !NativeLibrary.TryGetExport(library, symbol, out address) ? $"{file} has no {symbol}: it is not that of OpenSSL {Major}"
            : null;
    }
}
