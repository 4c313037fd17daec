using System.Buffers.Binary;
using KestrelStream.Preread;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.Tests.Preread;

public sealed class Ja4Tests
{
    /// <summary>The example of the specification: Chrome, with its GREASE values left in.</summary>
    private static ClientHelloBuilder Chrome => new ClientHelloBuilder()
        .WithCipherSuites(Words(0x2a2a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035))
        .WithExtension(0x4a4a, [])
        .WithExtension(0x001b, [2, 0, 2])
        .WithServerName("clienthello.example.com")
        .WithExtension(0x0033, [0, 0])
        .WithAlpn("h2", "http/1.1")
        .WithExtension(0x4469, [0, 0])
        .WithExtension(0x0017, [])
        .WithVersions(0x1a1a, 0x0304, 0x0303)
        .WithExtension(0x000d, [0, 16, .. Words(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601)])
        .WithExtension(0x0005, [1, 0, 0, 0, 0])
        .WithExtension(0x0023, [])
        .WithExtension(0x0012, [])
        .WithExtension(0x000b, [1, 0])
        .WithExtension(0xff01, [0])
        .WithExtension(0x000a, [0, 2, 0, 0x1d])
        .WithExtension(0x002d, [1, 1])
        .WithExtension(0xdada, [0])
        .WithExtension(0x0015, [0, 0, 0]);

    [Fact]
    public void Of_ExampleOfTheSpecification_IsItsFingerprint() => Assert.Equal("t13d1516h2_8daaf6152771_e5627efa2ab1", Of(Chrome.Build()));

    [Fact]
    public void Of_SeveralRecords_IsTheSame()
    {
        var hello = Chrome.Build();
        var message = hello.AsSpan(ClientHelloBuilder.RecordHeaderLength);
        var split = new List<byte>();
        for (var rest = message; !rest.IsEmpty; rest = rest[Math.Min(rest.Length, 50)..])
        {
            var count = Math.Min(rest.Length, 50);
            split.AddRange([22, 3, 1, 0, (byte)count, .. rest[..count]]);
        }

        Assert.Equal(Of(hello), Of([.. split]));
    }

    [Fact]
    public void Of_NoExtensions_HasNoHashOfThem()
        => Assert.Equal("t12i040000_", Of(new ClientHelloBuilder().WithoutExtensionBlock().Build())[..11]);

    [Fact]
    public void Of_NoExtensionBlock_LastPartIsZeros()
        => Assert.EndsWith("_000000000000", Of(new ClientHelloBuilder().WithoutExtensionBlock().Build()), StringComparison.Ordinal);

    // c2 ab c3 8f.
    [Fact]
    public void Of_AlpnOfOtherBytes_IsItsHexadecimal()
        => Assert.Equal("cf", Of(new ClientHelloBuilder().WithAlpn("\u00ab\u00cf").Build()).Split('_')[0][^2..]);

    private static string Of(byte[] received)
    {
        var parser = new ClientHelloParser(65536);
        Assert.Equal(PrereadStatus.Hello, parser.Advance(received));
        var fingerprint = Ja4.Of(parser.GetHello(received), parser.GetMessage(received));
        parser.Dispose();
        return fingerprint;
    }

    private static byte[] Words(params ushort[] words)
    {
        var bytes = new byte[words.Length * 2];
        for (var i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(i * 2), words[i]);
        }

        return bytes;
    }
}
