using KestrelStream.Load.Interop;

namespace KestrelStream.Load.Client;

/// <summary>The names of the SNI routes and, for each, the ClientHello that OpenSSL sends for it.</summary>
internal static unsafe class ClientHellos
{
    public const int RouteCount = 1_000;

    public static string RouteName(int index) => $"app-{index:d4}.example.com";

    /// <summary>One real hello per route, in an order that walks the routes without a pattern.</summary>
    public static byte[][] Create()
    {
        using var context = new TlsContext();
        byte[][] hellos = [.. Enumerable.Range(0, RouteCount).Select(index => Create(context, RouteName(index)))];

        // A fixed seed: every proxy and every run sees the same order.
        new Random(1).Shuffle(hellos);
        return hellos;
    }

    private static byte[] Create(TlsContext context, string name)
    {
        nint ssl = OpenSsl.SSL_new(context.Handle);
        nint written = OpenSsl.BIO_new(OpenSsl.BIO_s_mem());
        OpenSsl.SSL_set_bio(ssl, OpenSsl.BIO_new(OpenSsl.BIO_s_mem()), written);
        OpenSsl.SetServerName(ssl, name);
        ReadOnlySpan<byte> alpn = "\u0002h2\u0008http/1.1"u8;
        fixed (byte* protocols = alpn)
        {
            _ = OpenSsl.SSL_set_alpn_protos(ssl, protocols, (uint)alpn.Length);
        }

        // With nothing to read it writes the hello and asks for more.
        _ = OpenSsl.SSL_connect(ssl);
        OpenSsl.ERR_clear_error();
        byte[] hello = new byte[4_096];
        int length;
        fixed (byte* start = hello)
        {
            length = OpenSsl.BIO_read(written, start, hello.Length);
        }

        OpenSsl.SSL_free(ssl);
        return length > 0 ? hello[..length] : throw new BenchmarkException("OpenSSL made no ClientHello");
    }
}
