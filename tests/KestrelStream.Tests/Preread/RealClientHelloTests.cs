using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using KestrelStream.Preread;
using KestrelStream.TestKit;
using KestrelStream.Tls;
using Xunit;

namespace KestrelStream.Tests.Preread;

/// <summary>Hellos of clients that were not written for these tests.</summary>
public class RealClientHelloTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("tls1_2", 0x0303)]
    [InlineData("tls1_3", 0x0304)]
    public async Task Advance_OpenSslClient_SaysWhatItWasToldToSend(string version, int expectedVersion)
    {
        var hello = await FromOpenSslAsync($"-{version}", "-servername", "App1.Example.com", "-alpn", "postgresql,h2");

        AssertEveryCut(hello, new HelloVerdict(
            PrereadStatus.Hello, ClientHelloError.None, TlsAlert.None, "app1.example.com", "0A706F737467726573716C026832", (ushort)expectedVersion, EncryptedHello.None, hello.Length));
    }

    [Fact]
    public async Task Advance_OpenSslClientWithoutName_HasNone()
    {
        var verdict = HelloVerdict.Of(await FromOpenSslAsync("-noservername"));

        Assert.Equal((PrereadStatus.Hello, null, "", 0x0304), (verdict.Status, verdict.ServerName, verdict.Alpn, (int)verdict.HighestVersion));
    }

    [Fact]
    public async Task Advance_SslStreamClient_SaysWhatItWasToldToSend()
    {
        var hello = await FromSslStreamAsync("App1.Example.com", SslApplicationProtocol.Http11);

        AssertEveryCut(hello, new HelloVerdict(
            PrereadStatus.Hello, ClientHelloError.None, TlsAlert.None, "app1.example.com", "08687474702F312E31", 0x0304, EncryptedHello.None, hello.Length));
    }

    private static void AssertEveryCut(byte[] wire, HelloVerdict expected)
    {
        Assert.Equal(expected, HelloVerdict.Of(wire));
        Assert.Equal(expected, HelloVerdict.OfDrip(wire));
        for (var end = 1; end < wire.Length; end++)
        {
            Assert.Equal(expected, HelloVerdict.OfSegments(wire, end));
        }

        var message = wire[ClientHelloBuilder.RecordHeaderLength..];
        for (var offset = 1; offset < message.Length; offset++)
        {
            Assert.Equal(expected.WithoutLength(), HelloVerdict.OfMessage(message, offset));
        }
    }

    private static async Task<byte[]> FromOpenSslAsync(params string[] arguments)
    {
        using var timeout = new CancellationTokenSource(Patience);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var start = new ProcessStartInfo("openssl", ["s_client", "-connect", listener.LocalEndpoint.ToString()!, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var openssl = Process.Start(start)!;
        try
        {
            using var client = await listener.AcceptTcpClientAsync(timeout.Token);
            return await ReadHelloAsync(client.GetStream(), timeout.Token);
        }
        finally
        {
            openssl.Kill();
            await openssl.WaitForExitAsync(timeout.Token);
        }
    }

    private static async Task<byte[]> FromSslStreamAsync(string targetHost, SslApplicationProtocol protocol)
    {
        using var wire = new HelloStream();
        await using var client = new SslStream(wire);

        // The stream ends after the hello: the handshake fails, and all that is wanted was written.
        await Assert.ThrowsAsync<IOException>(() => client.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = targetHost, ApplicationProtocols = [protocol] }));
        return wire.Written;
    }

    private static async Task<byte[]> ReadHelloAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[HelloVerdict.MaxWireBytes];
        var parser = new ClientHelloParser(buffer.Length);
        var length = 0;
        while (parser.Advance(buffer.AsSpan(0, length)) == PrereadStatus.NeedMore)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken);
            Assert.True(read > 0, "The client hung up before its hello was whole.");
            length += read;
        }

        parser.Dispose();
        return buffer[..length];
    }

    /// <summary>Keeps what is written, and is at its end for whoever reads.</summary>
    private sealed class HelloStream : Stream
    {
        private readonly MemoryStream _written = new();

        public byte[] Written => _written.ToArray();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => 0;

        public override void Write(byte[] buffer, int offset, int count) => _written.Write(buffer, offset, count);

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
