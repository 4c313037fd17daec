using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using KestrelStream.TestKit;
using KestrelStream.Tls;
using KestrelStream.Transport;
using KestrelStream.Transport.Sockets;
using Xunit;

namespace KestrelStream.Tests.Tls;

/// <summary>The plain side of <see cref="SslStream"/>: what a peer sends is a status, not an exception.</summary>
public sealed class TlsConnectionTests
{
    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task BadRecord_FailsEveryOperationAfterIt_AndNoneThrows(SslProtocols version)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var peer = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await peer.ConnectAsync(listener.LocalEndpoint);
        var inner = new SocketConnection(await listener.AcceptSocketAsync(), remoteEndPoint: null, localEndPoint: null);
        var stream = new StreamConnectionStream(inner);
        var ssl = new SslStream(stream);
        using var client = new SslStream(new NetworkStream(peer), false, (_, _, _, _) => true);
        await Task.WhenAll(
            client.AuthenticateAsClientAsync("a.example.com"),
            ssl.AuthenticateAsServerAsync(TlsUpstream.Options(TestCertificates.Shared.Issue("a.example.com"), version))).WaitAsync(Wait.Limit);
        var connection = new TlsConnection(ssl, stream, inner);

        await peer.SendAsync((byte[])[0x17, 3, 3, 0, 40, .. new byte[40]]);

        Assert.Equal(new IOResult(0, IOStatus.Truncated), await connection.ReceiveAsync(new byte[100]));
        Assert.Equal(new IOResult(0, IOStatus.Aborted), await connection.SendAsync(new byte[10]));
        Assert.Equal(IOStatus.Aborted, await connection.ShutdownSendAsync());
        Assert.Equal(IOStatus.Aborted, await connection.ShutdownSendAsync());
        connection.Close();
    }
}
