using System.Text;
using KestrelStream.Preread;
using KestrelStream.TestKit;
using KestrelStream.Tls;
using Xunit;

namespace KestrelStream.Tests.Preread;

/// <summary>What a well-formed hello is read as.</summary>
public class ClientHelloParserTests
{
    [Fact]
    public void Advance_BrowserHello_SaysAllOfIt()
    {
        var bytes = ClientHelloBuilder.Browser("www.example.com").Build();
        var parser = new ClientHelloParser(HelloVerdict.MaxWireBytes);

        Assert.Equal(PrereadStatus.Hello, parser.Advance(bytes));

        var hello = parser.GetHello(bytes);
        Assert.Equal("www.example.com", hello.ServerName);
        Assert.Equal("\u0002h2\u0008http/1.1", Encoding.ASCII.GetString(hello.AlpnList));
        Assert.True(hello.OffersAlpn("h2"u8));
        Assert.True(hello.OffersAlpn("http/1.1"u8));
        Assert.False(hello.OffersAlpn("http/1"u8));
        Assert.Equal(0x0304, hello.HighestVersion);
        Assert.Equal(EncryptedHello.Outer, hello.Ech);
        Assert.Equal(bytes.Length, parser.WireLength);
        Assert.Equal(ClientHelloError.None, parser.Error);
        Assert.Equal(TlsAlert.None, parser.Alert);
    }

    [Fact]
    public void Advance_NoExtensionBlock_IsAHelloWithoutName()
        => Assert.Equal(
            new HelloVerdict(PrereadStatus.Hello, ClientHelloError.None, TlsAlert.None, null, "", 0x0303, EncryptedHello.None, 88),
            HelloVerdict.Of(new ClientHelloBuilder().WithoutExtensionBlock().Build()));

    [Fact]
    public void Advance_ShortestHello_IsAHello()
    {
        var bytes = new ClientHelloBuilder().WithSessionId().WithCipherSuites(0, 0x2f).WithoutExtensionBlock().Build();

        Assert.Equal(5 + 4 + 41, bytes.Length);
        Assert.Equal(PrereadStatus.Hello, HelloVerdict.Of(bytes).Status);
    }

    [Fact]
    public void Advance_EmptyExtensionBlock_IsAHello()
        => Assert.Equal(PrereadStatus.Hello, HelloVerdict.Of(new ClientHelloBuilder().Build()).Status);

    [Theory]
    [InlineData(0x0300, new int[0], 0x0300)]
    [InlineData(0x0301, new int[0], 0x0301)]
    [InlineData(0x0303, new int[0], 0x0303)]
    [InlineData(0x0304, new int[0], 0x0303)] // above 1.2 only supported_versions counts
    [InlineData(0x7f1c, new int[0], 0x0303)]
    [InlineData(0x0303, new[] { 0x0304, 0x0303 }, 0x0304)]
    [InlineData(0x0303, new[] { 0x0301, 0x0302 }, 0x0302)]
    [InlineData(0x0303, new[] { 0xfafa, 0x0303 }, 0x0303)] // GREASE
    [InlineData(0x0303, new[] { 0x7f1c, 0x0303 }, 0x0303)] // a draft of 1.3
    [InlineData(0x0303, new[] { 0x0a0a }, 0)]
    public void HighestVersion_LegacyAndSupportedVersions_IsTheHighestOfTls(int legacy, int[] supported, int expected)
    {
        var builder = new ClientHelloBuilder().WithLegacyVersion((ushort)legacy);
        if (supported.Length > 0)
        {
            builder.WithVersions([.. supported.Select(v => (ushort)v)]);
        }

        var verdict = HelloVerdict.Of(builder.Build());

        Assert.Equal(PrereadStatus.Hello, verdict.Status);
        Assert.Equal(expected, verdict.HighestVersion);
    }

    [Fact]
    public void Advance_AnyMinorRecordVersion_IsIgnored()
    {
        var message = new ClientHelloBuilder().WithServerName("a.example").BuildMessage();
        for (var minor = 0; minor <= 0xff; minor++)
        {
            var version = (ushort)(0x0300 | minor);

            var verdict = HelloVerdict.Of(ClientHelloBuilder.Record(message, version: version));

            Assert.Equal("a.example", verdict.ServerName);
        }
    }

    [Fact]
    public void Advance_BytesAfterTheRecord_AreLeftAlone()
    {
        var hello = ClientHelloBuilder.Browser("a.example").Build();
        byte[] earlyData = [.. hello, .. ClientHelloBuilder.Record([1, 2, 3], type: 23)];

        Assert.Equal(HelloVerdict.Of(hello), HelloVerdict.Of(earlyData));
        Assert.Equal(hello.Length, HelloVerdict.Of(earlyData).Length);
    }

    [Fact]
    public void Advance_PreSharedKeyLast_IsAHello()
    {
        var bytes = new ClientHelloBuilder().WithServerName("a.example").WithExtension(ClientHelloBuilder.PreSharedKeyExtension, [0]).Build();

        Assert.Equal("a.example", HelloVerdict.Of(bytes).ServerName);
    }

    // The name a record-by-record reader would find lies in an extension that is nobody's business.
    [Fact]
    public void Advance_RecordHeaderInsideAnExtension_IsNotARecord()
    {
        var evil = new ClientHelloBuilder().WithServerName("evil.example.com").Build();
        var message = new ClientHelloBuilder().WithExtension(0x4444, evil).WithServerName("a.example.com").BuildMessage();
        var hidden = message.AsSpan().IndexOf(evil);

        Assert.Equal("a.example.com", HelloVerdict.OfMessage(message).ServerName);
        Assert.Equal("a.example.com", HelloVerdict.OfMessage(message, hidden).ServerName);
    }

    [Fact]
    public void Advance_CommaAndZeroInAlpnNames_AreBytesLikeAnyOther()
    {
        var bytes = new ClientHelloBuilder().WithAlpn("h2,http/1.1", "a\0b").Build();
        var parser = new ClientHelloParser(HelloVerdict.MaxWireBytes);
        parser.Advance(bytes);

        var hello = parser.GetHello(bytes);

        Assert.True(hello.OffersAlpn("h2,http/1.1"u8));
        Assert.True(hello.OffersAlpn("a\0b"u8));
        Assert.False(hello.OffersAlpn("h2"u8));
    }

    [Theory]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(16000)]
    public void Advance_ManyExtensions_IsAHello(int count)
        => Assert.Equal(PrereadStatus.Hello, HelloVerdict.Of(WithManyExtensions(count).Build()).Status);

    [Theory]
    [InlineData(64, 0)]
    [InlineData(65, 64)]
    [InlineData(16000, 3)]
    [InlineData(16000, 15999)]
    public void Advance_OneOfManyExtensionsTwice_IsMalformed(int count, int again)
    {
        var bytes = WithManyExtensions(count).WithExtension((ushort)(1000 + again), []).Build();

        Assert.Equal(ClientHelloError.DuplicateExtension, HelloVerdict.Of(bytes).Error);
    }

    [Theory]
    [InlineData(250)]
    [InlineData(512)]
    [InlineData(4096)]
    [InlineData(16384)] // a full record
    [InlineData(16385)]
    [InlineData(32000)]
    [InlineData(65536 - (4 * 5))] // with its four record headers all that a listener may allow
    public void Advance_AnySize_IsAHello(int messageLength)
    {
        var bytes = new ClientHelloBuilder().WithServerName("a.example").WithAlpn("h2").PaddedTo(messageLength).Build();

        var verdict = HelloVerdict.Of(bytes, maxWireBytes: bytes.Length);

        Assert.Equal((PrereadStatus.Hello, "a.example", "026832", bytes.Length), (verdict.Status, verdict.ServerName, verdict.Alpn, verdict.Length));
        Assert.Equal(verdict, HelloVerdict.OfDrip(bytes, maxWireBytes: bytes.Length));
        Assert.Equal(PrereadStatus.TooLarge, HelloVerdict.Of(bytes, maxWireBytes: bytes.Length - 1).Status);
    }

    [Fact]
    public void Advance_OneRecord_AllocatesNothingButTheName()
    {
        var bytes = ClientHelloBuilder.Browser("www.example.com").Build();

        Assert.Equal(AllocatedBy(() => new string('a', 15)), AllocatedBy(() => HandOver(bytes)));
    }

    [Fact]
    public void Advance_NoName_AllocatesNothing()
    {
        var bytes = new ClientHelloBuilder().WithAlpn("h2").WithVersions(0x0304).Build();

        Assert.Equal(0, AllocatedBy(() => HandOver(bytes)));
    }

    [Fact]
    public void Advance_ManyRecordsAndADrip_AllocatesNothingButTheName()
    {
        var bytes = ClientHelloBuilder.Frame(ClientHelloBuilder.Browser("www.example.com").BuildMessage(), 1, 2, 100, 1000);

        Assert.Equal(AllocatedBy(() => new string('a', 15)), AllocatedBy(() => Drip(bytes)));
    }

    [Fact]
    public void Advance_MalformedName_AllocatesNothing()
    {
        var bytes = new ClientHelloBuilder().WithServerName("a..example").Build();

        Assert.Equal(0, AllocatedBy(() => HandOver(bytes)));
    }

    [Fact]
    public void GetHello_BeforeThereIsOne_Throws()
        => Assert.Throws<InvalidOperationException>(() =>
        {
            var parser = new ClientHelloParser(HelloVerdict.MaxWireBytes);
            parser.Advance([0x16]);
            parser.GetHello([0x16]);
        });

    private static ClientHelloBuilder WithManyExtensions(int count)
    {
        var builder = new ClientHelloBuilder();
        for (var i = 0; i < count; i++)
        {
            builder.WithExtension((ushort)(1000 + i), []);
        }

        return builder;
    }

    private static string? HandOver(byte[] bytes)
    {
        var parser = new ClientHelloParser(HelloVerdict.MaxWireBytes);
        var name = parser.Advance(bytes) == PrereadStatus.Hello ? parser.GetHello(bytes).ServerName : null;
        parser.Dispose();
        return name;
    }

    private static string? Drip(byte[] bytes)
    {
        var parser = new ClientHelloParser(HelloVerdict.MaxWireBytes);
        for (var length = 1; length < bytes.Length; length++)
        {
            parser.Advance(bytes.AsSpan(0, length));
        }

        var name = parser.Advance(bytes) == PrereadStatus.Hello ? parser.GetHello(bytes).ServerName : null;
        parser.Dispose();
        return name;
    }

    private static long AllocatedBy(Func<object?> action)
    {
        // The first rounds pay for compilation and fill the pool.
        for (var i = 0; i < 3; i++)
        {
            action();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
