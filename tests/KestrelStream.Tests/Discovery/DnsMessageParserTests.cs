using System.Net;
using KestrelStream.Discovery;
using Xunit;

namespace KestrelStream.Tests.Discovery;

public class DnsMessageParserTests
{
    private static readonly DnsQuestion Host = new("db.example.com", DnsType.A);
    private static readonly DnsQuestion Service = new("_pg._tcp.example.com", DnsType.Srv);

    [Fact]
    public void Parse_AnswerWithEverything_ReadsIt()
    {
        var message = new DnsMessageBuilder().Question("_PG._tcp.Example.com", DnsType.Srv)
            .Srv("_pg._tcp.example.com", 10, 20, 5432, "DB1.example.com", ttl: 30)
            .Record(1, "_pg._tcp.example.com", (DnsType)46, 30, [1, 2, 3])
            .Record(2, "example.com", (DnsType)2, 30, DnsMessageBuilder.ToWire("ns.example.com"))
            .A("db1.example.com", "10.0.0.1", section: 3)
            .Aaaa("db1.example.com", "2001:db8::1", section: 3)
            .Record(3, "", DnsType.Opt, 0, [], @class: 1232)
            .Build();

        Assert.Equal(DnsVerdict.Answer, Parse(message, Service, out var answer));
        Assert.Equal(DnsResponseCode.NoError, answer!.ResponseCode);
        Assert.Equal([new DnsRecord("_pg._tcp.example.com", DnsType.Srv, 30, null, "db1.example.com", 10, 20, 5432)], answer.Answers);
        Assert.Equal(
            [new DnsRecord("db1.example.com", DnsType.A, 60, IPAddress.Parse("10.0.0.1")), new DnsRecord("db1.example.com", DnsType.Aaaa, 60, IPAddress.Parse("2001:db8::1"))],
            answer.Additional);
    }

    [Fact]
    public void Parse_CompressedNames_AreFollowed()
    {
        var builder = new DnsMessageBuilder().Question("db.example.com", DnsType.A);

        // 12 = the question's name, 15 = example.com within it.
        var message = builder.RawName(1, [0xC0, 12], DnsType.Cname, [3, (byte)'p', (byte)'g', (byte)'1', 0xC0, 15])
            .RawName(1, [3, (byte)'p', (byte)'g', (byte)'1', 0xC0, 15], DnsType.A, [10, 0, 0, 1]).Build();

        Assert.Equal(DnsVerdict.Answer, Parse(message, Host, out var answer));
        Assert.Equal(["pg1.example.com", null], answer!.Answers.Select(record => record.Target));
        Assert.Equal(["db.example.com", "pg1.example.com"], answer.Answers.Select(record => record.Name));
        Assert.Equal([IPAddress.Parse("10.0.0.1")], DnsAddresses.Follow(answer.Answers, Host).Records.Select(record => record.Address!));
    }

    [Fact]
    public void Parse_PointersThatDoNotGoBack_AreMalformed()
    {
        var begin = new DnsMessageBuilder().Question("db.example.com", DnsType.A).Position;
        byte[][] names =
        [
            [0xC0, (byte)begin], // itself
            [0xC0, (byte)(begin + 2)], // behind itself
            [1, (byte)'a', 0xC0, (byte)begin], // its own beginning
            [0xC0, 11], // into the header
            [0xFF, 0xFF], // beyond the end
            [0x40, 1], // reserved
            [0x80, 1], // reserved
        ];
        foreach (var name in names)
        {
            var message = new DnsMessageBuilder().Question("db.example.com", DnsType.A).RawName(1, name, DnsType.A, [10, 0, 0, 1]).Build();
            Assert.Equal(DnsVerdict.Malformed, Parse(message, Host, out _));
        }
    }

    /// <summary>Two records whose names point at each other.</summary>
    [Fact]
    public void Parse_CircleOfTwoPointers_IsMalformed()
    {
        var builder = new DnsMessageBuilder().Question("db.example.com", DnsType.A);
        var first = builder.Position;
        var second = first + 2 + 10 + 4;

        var message = builder.RawName(1, [0xC0, (byte)second], DnsType.A, [10, 0, 0, 1]).RawName(1, [0xC0, (byte)first], DnsType.A, [10, 0, 0, 1]).Build();

        Assert.Equal(DnsVerdict.Malformed, Parse(message, Host, out _));
    }

    /// <summary>Every pointer goes back, and yet the name they make together is too long.</summary>
    [Fact]
    public void Parse_NameLongerThan255BytesByPointers_IsMalformed()
    {
        var builder = new DnsMessageBuilder().Question("db.example.com", DnsType.A);
        var at = builder.Position;
        builder.RawName(1, [60, .. new byte[60].Select(_ => (byte)'a'), 0], DnsType.A, [10, 0, 0, 1]);
        var lengths = new List<DnsVerdict>();
        for (var i = 0; i < 4; i++)
        {
            var next = builder.Position;
            builder.RawName(1, [60, .. new byte[60].Select(_ => (byte)'a'), (byte)(0xC0 | (at >> 8)), (byte)at], DnsType.A, [10, 0, 0, 1]);
            at = next;
            lengths.Add(Parse(builder.Build(), Host, out _));
        }

        Assert.Equal([DnsVerdict.Answer, DnsVerdict.Answer, DnsVerdict.Answer, DnsVerdict.Malformed], lengths);
    }

    [Fact]
    public void Parse_NotTheAnswerToTheQuestion_IsUnrelated()
    {
        byte[][] messages =
        [
            new DnsMessageBuilder(id: 0x1235).Question("db.example.com", DnsType.A).Build(),
            new DnsMessageBuilder(flags: 0x0100).Question("db.example.com", DnsType.A).Build(),
            new DnsMessageBuilder(flags: 0xA980).Question("db.example.com", DnsType.A).Build(),
            new DnsMessageBuilder().Build(),
            new DnsMessageBuilder().Question("db.example.com", DnsType.A).Question("db.example.com", DnsType.A).Build(),
            new DnsMessageBuilder().Question("db.example.org", DnsType.A).Build(),
            new DnsMessageBuilder().Question("db.example.com", DnsType.Aaaa).Build(),
            new DnsMessageBuilder().Question("db.example.com", DnsType.A, @class: 3).Build(),
        ];

        Assert.All(messages, message => Assert.Equal(DnsVerdict.Unrelated, Parse(message, Host, out _)));
        Assert.Equal(DnsVerdict.Answer, Parse(new DnsMessageBuilder().Question("DB.example.COM", DnsType.A).Build(), Host, out _));
    }

    [Fact]
    public void Parse_DataThatDoesNotFitItsType_IsMalformed()
    {
        (DnsType Type, byte[] Data)[] records =
        [
            (DnsType.A, [10, 0, 0]),
            (DnsType.A, [10, 0, 0, 1, 0]),
            (DnsType.Aaaa, new byte[15]),
            (DnsType.Cname, []),
            (DnsType.Cname, [1, (byte)'a', 0, 0]),
            (DnsType.Srv, [0, 1, 0, 1, 0, 1]),
            (DnsType.Srv, [0, 1, 0, 1, 0, 1, 1, (byte)'a']),
            (DnsType.Srv, [0, 1, 0, 1, 0, 1, 1, (byte)'a', 0, 0]),
        ];
        foreach (var (type, data) in records)
        {
            Assert.Equal(DnsVerdict.Malformed, Parse(new DnsMessageBuilder().Question("db.example.com", DnsType.A).Record(1, "db.example.com", type, 60, data).Build(), Host, out _));
        }
    }

    /// <summary>A label may have any byte, a dot too: such a name is somebody else's, not the host that it looks like.</summary>
    [Fact]
    public void Parse_NamesThatNoHostHas_AreSkipped()
    {
        var message = new DnsMessageBuilder().Question("db.example.com", DnsType.A)
            .RawName(1, [14, .. "db.example.com"u8, 0], DnsType.A, [10, 0, 0, 1])
            .RawName(1, [4, .. "d\r\nb"u8, 0], DnsType.A, [10, 0, 0, 2])
            .Record(1, "db.example.com", DnsType.Cname, 60, [3, (byte)'a', 0xff, (byte)'b', 0])
            .A("db.example.com", "10.0.0.3").Build();

        Assert.Equal(DnsVerdict.Answer, Parse(message, Host, out var answer));
        Assert.Equal([IPAddress.Parse("10.0.0.3")], answer!.Answers.Select(record => record.Address));
    }

    [Fact]
    public void Parse_CodeAndTtl_AreReadAsTheRfcsSay()
    {
        var message = new DnsMessageBuilder(flags: 0x8180).Question("db.example.com", DnsType.A)
            .A("db.example.com", "10.0.0.1", ttl: 0x80000001)
            .Record(3, "", DnsType.Opt, 0x01000000, [], @class: 512).Build();

        Assert.Equal(DnsVerdict.Answer, Parse(message, Host, out var answer));
        Assert.Equal(DnsResponseCode.BadVersion, answer!.ResponseCode);
        Assert.Equal(0u, answer.Answers[0].Ttl);
    }

    [Fact]
    public void Parse_Truncated_SaysSoAndReadsNoRecords()
    {
        var message = new DnsMessageBuilder(flags: 0x8380).Question("db.example.com", DnsType.A).A("db.example.com", "10.0.0.1").Build();

        Assert.Equal(DnsVerdict.Answer, Parse(message.AsSpan(0, message.Length - 3), Host, out var answer));
        Assert.True(answer!.IsTruncated);
        Assert.Empty(answer.Answers);
    }

    [Fact]
    public void Parse_MoreRecordsThanAnybodyHas_ReadsTheFirstOnes()
    {
        var builder = new DnsMessageBuilder().Question("db.example.com", DnsType.A);
        for (var i = 0; i < 2000; i++)
        {
            builder.RawName(1, [0xC0, 12], DnsType.A, [10, 0, (byte)(i >> 8), (byte)i]);
        }

        Assert.Equal(DnsVerdict.Answer, Parse(builder.Build(), Host, out var answer));
        Assert.Equal(DnsMessageParser.MaxRecords, answer!.Answers.Count);
    }

    [Fact]
    public void Follow_AliasesInACircleOrWithoutEnd_FindsNothing()
    {
        DnsRecord[] circle = [Alias("db.example.com", "a"), Alias("a", "b"), Alias("b", "a")];
        Assert.Empty(DnsAddresses.Follow(circle, Host).Records);

        DnsRecord[] chain = [Alias("db.example.com", "n0"), .. Enumerable.Range(0, 100).Select(i => Alias($"n{i}", $"n{i + 1}")), new("n100", DnsType.A, 1, IPAddress.Loopback)];
        Assert.Empty(DnsAddresses.Follow(chain, Host).Records);
        Assert.Single(DnsAddresses.Follow(chain, Host with { Name = "n90" }).Records);
        Assert.Equal(1u, DnsAddresses.Follow(chain, Host with { Name = "n90" }).Ttl);

        // What nobody has asked for is not believed.
        Assert.Empty(DnsAddresses.Follow([new("other.example.com", DnsType.A, 1, IPAddress.Loopback)], Host).Records);

        static DnsRecord Alias(string name, string target) => new(name, DnsType.Cname, 60, Target: target);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ToQuery_Question_IsReadBackAsIt(bool withEdns)
    {
        var query = Service.ToQuery(0xBEEF, withEdns);

        Assert.Equal(DnsVerdict.Unrelated, DnsMessageParser.Parse(query, 0xBEEF, Service, out _));
        query[2] |= 0x80;
        Assert.Equal(DnsVerdict.Answer, DnsMessageParser.Parse(query, 0xBEEF, Service, out var answer));
        Assert.Equal(DnsResponseCode.NoError, answer!.ResponseCode);
        Assert.Equal(withEdns ? 1 : 0, query[11]);
    }

    internal static DnsVerdict Parse(ReadOnlySpan<byte> message, DnsQuestion question, out DnsMessage? answer)
        => DnsMessageParser.Parse(message, 0x1234, question, out answer);
}
