using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;

namespace KestrelStream.TestKit;

/// <summary>Backends that speak TLS from their first byte on.</summary>
public static class TlsUpstream
{
    /// <summary>Options of a server with one certificate and its chain.</summary>
    public static SslServerAuthenticationOptions Options(TestCertificate certificate, SslProtocols protocols = SslProtocols.None) => new()
    {
        ServerCertificateContext = SslStreamCertificateContext.Create(certificate.Leaf, [.. certificate.Intermediates], offline: true),
        EnabledSslProtocols = protocols,
    };

    /// <summary>Runs a script over each connection once the handshake is done. A client that gives up, in the handshake or later, is no failure.</summary>
    public static ScriptedUpstream Create(SslServerAuthenticationOptions options, Func<SslStream, Socket, Task> script) => new(async socket =>
    {
        var ssl = new SslStream(new NetworkStream(socket));
        try
        {
            await ssl.AuthenticateAsServerAsync(options);
            await script(ssl, socket);
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            // The client has given up.
        }
    });

    /// <summary>Sends back what it gets; close_notify and FIN for close_notify.</summary>
    public static ScriptedUpstream Echo(TestCertificate certificate, SslProtocols protocols = SslProtocols.None) => Create(Options(certificate, protocols), async (ssl, socket) =>
    {
        var buffer = new byte[65536];
        while (await ssl.ReadAsync(buffer) is > 0 and var count)
        {
            await ssl.WriteAsync(buffer.AsMemory(0, count));
        }

        await EndAsync(ssl, socket);
    });

    /// <summary>Says what it has been asked for by its name, then sends back what it gets.</summary>
    public static ScriptedUpstream Named(TestCertificate certificate) => Create(Options(certificate), async (ssl, socket) =>
    {
        await ssl.WriteAsync(System.Text.Encoding.ASCII.GetBytes($"[{ssl.TargetHostName}]"));
        var buffer = new byte[4096];
        while (await ssl.ReadAsync(buffer) is > 0 and var count)
        {
            await ssl.WriteAsync(buffer.AsMemory(0, count));
        }

        await EndAsync(ssl, socket);
    });

    /// <summary>First hears everything up to the end, then says its digest and as many bytes of its own as it has got.</summary>
    public static ScriptedUpstream Digest(TestCertificate certificate, SslProtocols protocols) => Create(Options(certificate, protocols), async (ssl, socket) =>
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[65536];
        long total = 0;
        while (await ssl.ReadAsync(buffer) is > 0 and var count)
        {
            hash.AppendData(buffer, 0, count);
            total += count;
        }

        await ssl.WriteAsync(hash.GetHashAndReset());
        for (Array.Fill(buffer, (byte)'x'); total > 0; total -= buffer.Length)
        {
            await ssl.WriteAsync(buffer.AsMemory(0, (int)Math.Min(total, buffer.Length)));
        }

        await EndAsync(ssl, socket);
    });

    /// <summary>Ends its sending as TLS wants it, and waits for the peer's end.</summary>
    public static async Task EndAsync(SslStream ssl, Socket socket)
    {
        await ssl.ShutdownAsync();
        socket.Shutdown(SocketShutdown.Send);
        try
        {
            while (await socket.ReceiveAsync(new byte[4096]) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // A reset: both have said all.
        }
    }
}
