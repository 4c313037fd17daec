using KestrelStream.Preread;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.Tests.Preread;

/// <summary>The verdict is the same for every way of cutting the same bytes into segments and records.</summary>
public class ClientHelloCutTests
{
    public static TheoryData<string, byte[]> Messages => new()
    {
        { "name and ALPN", new ClientHelloBuilder().WithServerName("a.example").WithAlpn("h2", "x").WithVersions(0x0304).BuildMessage() },
        { "no extensions", new ClientHelloBuilder().WithoutExtensionBlock().BuildMessage() },
        { "browser", ClientHelloBuilder.Browser("www.example.com").BuildMessage() },
    };

    [Theory]
    [MemberData(nameof(Messages))]
    public void Advance_EveryCutIntoTwoSegments_SameVerdict(string what, byte[] message)
    {
        var wire = ClientHelloBuilder.Frame(message);
        var expected = HelloVerdict.Of(wire);
        Assert.Equal(PrereadStatus.Hello, expected.Status);
        for (var end = 0; end <= wire.Length; end++)
        {
            Assert.Equal((what, end, expected), (what, end, HelloVerdict.OfSegments(wire, end)));
        }
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void Advance_EveryCutIntoTwoRecords_SameVerdict(string what, byte[] message)
    {
        var expected = HelloVerdict.OfMessage(message);
        Assert.Equal(PrereadStatus.Hello, expected.Status);
        for (var offset = 1; offset < message.Length; offset++)
        {
            var wire = ClientHelloBuilder.Frame(message, offset);
            Assert.Equal((what, offset, expected), (what, offset, HelloVerdict.Of(wire).WithoutLength()));
            Assert.Equal((what, offset, expected), (what, offset, HelloVerdict.OfDrip(wire).WithoutLength()));
            Assert.Equal(wire.Length, HelloVerdict.Of(wire).Length);
        }
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void Advance_EveryByteAlone_SameVerdict(string what, byte[] message)
    {
        var expected = HelloVerdict.OfMessage(message);
        var oneRecord = ClientHelloBuilder.Frame(message);
        var oneByteRecords = ClientHelloBuilder.Frame(message, [.. Enumerable.Range(1, message.Length - 1)]);

        Assert.Equal((what, expected), (what, HelloVerdict.OfDrip(oneRecord).WithoutLength()));
        Assert.Equal((what, expected), (what, HelloVerdict.Of(oneByteRecords).WithoutLength()));
        Assert.Equal((what, expected), (what, HelloVerdict.OfDrip(oneByteRecords).WithoutLength()));
    }

    [Fact]
    public void Advance_RandomSegmentsAndRecords_SameVerdict()
    {
        var random = new Random(20);
        var message = ClientHelloBuilder.Browser("www.example.com").BuildMessage();
        var expected = HelloVerdict.OfMessage(message);
        for (var round = 0; round < 1000; round++)
        {
            var wire = ClientHelloBuilder.Frame(message, Offsets(random, message.Length));

            Assert.Equal(expected, HelloVerdict.OfSegments(wire, Offsets(random, wire.Length)).WithoutLength());
        }
    }

    // Work that grows with the square of the length would take 4 billion steps here.
    [Fact]
    public void Advance_LargestHelloByteByByte_SameVerdict()
    {
        var builder = new ClientHelloBuilder().WithServerName("a.example");
        for (ushort type = 1000; type < 15000; type++)
        {
            builder.WithExtension(type, []);
        }

        var message = builder.BuildMessage();
        var wire = ClientHelloBuilder.Frame(message, [.. Enumerable.Range(1, 1600)]);

        Assert.InRange(wire.Length, 64000, HelloVerdict.MaxWireBytes);
        Assert.Equal(("a.example", wire.Length), (HelloVerdict.OfDrip(wire).ServerName, HelloVerdict.OfDrip(wire).Length));
    }

    private static int[] Offsets(Random random, int length)
        => [.. Enumerable.Range(0, random.Next(12)).Select(_ => random.Next(1, length)).Distinct().Order()];
}
