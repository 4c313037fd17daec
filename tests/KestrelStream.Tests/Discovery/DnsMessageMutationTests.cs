using KestrelStream.Discovery;
using Xunit;

namespace KestrelStream.Tests.Discovery;

/// <summary>Answers cut at every byte, and a million broken ones, the same ones every time: nothing throws, nothing is made up.</summary>
public class DnsMessageMutationTests
{
    private const int Threads = 4;
    private const int InputsPerThread = 250_000;

    private static readonly (DnsQuestion Question, byte[] Message)[] Seeds =
    [
        (new("_pg._tcp.example.com", DnsType.Srv), new DnsMessageBuilder().Question("_pg._tcp.example.com", DnsType.Srv)
            .Srv("_pg._tcp.example.com", 10, 20, 5432, "db1.example.com").Srv("_pg._tcp.example.com", 20, 0, 5433, "db2.example.com")
            .A("db1.example.com", "10.0.0.1", section: 3).Aaaa("db1.example.com", "2001:db8::1", section: 3)
            .Record(3, "", DnsType.Opt, 0, [0, 10, 0, 2, 1, 2], @class: 1232).Build()),
        (new("db.example.com", DnsType.A), new DnsMessageBuilder().Question("db.example.com", DnsType.A)
            .RawName(1, [0xC0, 12], DnsType.Cname, [3, (byte)'p', (byte)'g', (byte)'1', 0xC0, 15])
            .RawName(1, [3, (byte)'p', (byte)'g', (byte)'1', 0xC0, 15], DnsType.A, [10, 0, 0, 1])
            .RawName(1, [0xC0, 32], DnsType.A, [10, 0, 0, 2]).Build()),
        (new("a.b", DnsType.Aaaa), new DnsMessageBuilder().Question("a.b", DnsType.Aaaa).Aaaa("a.b", "2001:db8::1").Aaaa("a.b", "2001:db8::2").Build()),
        (new("x", DnsType.A), new DnsMessageBuilder(flags: 0x8183).Question("x", DnsType.A)
            .Record(2, "", (DnsType)6, 900, [.. DnsMessageBuilder.ToWire("a.root"), .. DnsMessageBuilder.ToWire("b.root"), .. new byte[20]]).Build()),
    ];

    private static readonly byte[] TellingBytes = [0, 1, 2, 3, 4, 5, 10, 12, 15, 16, 28, 32, 33, 41, 63, 64, 0x7f, 0x80, 0x81, 0xbf, 0xc0, 0xc1, 0xfe, 0xff];

    [Fact]
    public void Parse_EveryCut_IsMalformed()
    {
        foreach (var (question, message) in Seeds)
        {
            Assert.Equal(DnsVerdict.Answer, DnsMessageParserTests.Parse(message, question, out _));
            for (var length = 0; length < message.Length; length++)
            {
                // An array of its own: a byte read behind the end would throw.
                Assert.Equal(DnsVerdict.Malformed, DnsMessageParserTests.Parse(message.AsSpan(0, length).ToArray(), question, out _));
            }
        }
    }

    /// <summary>Every byte of every answer in turn, with every value.</summary>
    [Fact]
    public void Parse_OneByteChanged_NeverThrows()
    {
        foreach (var (question, message) in Seeds)
        {
            for (var at = 0; at < message.Length; at++)
            {
                var changed = message.ToArray();
                for (var value = 0; value < 256; value++)
                {
                    changed[at] = (byte)value;
                    Check(changed, question);
                }
            }
        }
    }

    [Fact]
    public void Parse_MutatedAnswers_NeverThrowsAndAllocatesNoMoreThanWasReceived()
    {
        var verdicts = new int[Threads][];

        Parallel.For(0, Threads, seed => verdicts[seed] = Run(seed));

        foreach (var verdict in Enum.GetValues<DnsVerdict>())
        {
            Assert.True(verdicts.Sum(v => v[(int)verdict]) > 1000, $"{verdict} hardly occurs");
        }
    }

    private static int[] Run(int seed)
    {
        var random = new Random(seed);
        var verdicts = new int[Enum.GetValues<DnsVerdict>().Length];
        for (var input = 0; input < InputsPerThread; input++)
        {
            var (question, message) = Seeds[random.Next(Seeds.Length)];
            var bytes = message.ToList();

            // The header decides early, and is left alone mostly.
            for (var changes = random.Next(1, 5); changes > 0 && bytes.Count > 13; changes--)
            {
                var at = random.Next(random.Next(8) == 0 ? 0 : 12, bytes.Count);
                switch (random.Next(5))
                {
                    case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                    case 1: bytes[at] = TellingBytes[random.Next(TellingBytes.Length)]; break;
                    case 2: bytes.Insert(at, TellingBytes[random.Next(TellingBytes.Length)]); break;
                    case 3: bytes.RemoveAt(at); break;
                    default:
                        var from = random.Next(bytes.Count - 4);
                        bytes.InsertRange(at, bytes.GetRange(from, 4));
                        break;
                }
            }

            verdicts[(int)Check([.. bytes], question)]++;
        }

        return verdicts;
    }

    private static DnsVerdict Check(byte[] message, DnsQuestion question)
    {
        var verdict = DnsMessageParserTests.Parse(message, question, out var answer);
        Assert.Equal(verdict == DnsVerdict.Answer, answer is not null);
        foreach (var record in answer is null ? [] : answer.Answers.Concat(answer.Additional))
        {
            // A record has at least a root name and its ten bytes.
            Assert.True(answer!.Answers.Count + answer.Additional.Count <= message.Length / 11);
            Assert.True(record.Name.Length <= 253 && (record.Target?.Length ?? 0) <= 253);
            Assert.All(record.Name + record.Target, c => Assert.True(char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_' or '.'));
            Assert.Equal(record.Type is DnsType.A or DnsType.Aaaa, record.Address is not null);
        }

        return verdict;
    }
}
