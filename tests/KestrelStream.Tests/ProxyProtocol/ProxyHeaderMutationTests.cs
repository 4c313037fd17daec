using KestrelStream.ProxyProtocol;
using Xunit;
using static KestrelStream.Tests.ProxyProtocol.HeaderBytes;

namespace KestrelStream.Tests.ProxyProtocol;

/// <summary>Half a million broken headers, the same ones every time: nothing throws, and no cut changes a verdict.</summary>
public class ProxyHeaderMutationTests
{
    private const int Inputs = 500_000;

    private static readonly byte[][] Seeds =
    [
        V1("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443"),
        V1("PROXY TCP6 2001:db8::1 2001:db8::2 56324 443"),
        V1("PROXY UNKNOWN junk"),
        V1("PROXY UNKNOWN ".PadRight(105, 'x')),
        V2WithTlvs(Tlv(1, "h2"), Tlv(2, "a.example"), Tlv(5, 1, 2), Tlv(0x20, [1, 0, 0, 0, 1, .. Tlv(0x21, "TLSv1.2")]), Tlv(0xea, 1, 65)),
        V2WithTlvs([.. Enumerable.Repeat(Tlv(4), 64)]),
        V2(0x20, 0),
        V2(0x21, 0x31, new byte[216]),
        ProxyHeaderWriter.WriteV2(new ProxyHeader { Version = 2, Authority = "b" }, withChecksum: true),
    ];

    private static readonly byte[] TellingBytes = [0, 1, 3, 4, 5, 0x0a, 0x0d, 0x10, 0x11, 0x20, 0x21, 0x2e, 0x30, 0x31, 0x36, 0x39, 0x3a, 0x54, 0x80, 0xff];

    [Fact]
    public void Parse_MutatedHeaders_NeverThrowsAndNoCutMatters()
    {
        var random = new Random(1);
        var statuses = new int[Enum.GetValues<ProxyHeaderStatus>().Length];
        var errors = new int[Enum.GetValues<ProxyHeaderError>().Length];
        for (var input = 0; input < Inputs; input++)
        {
            var bytes = Mutate(random, Seeds[random.Next(Seeds.Length)]);
            var status = ProxyHeaderParser.Parse(bytes, out var header, out var length, out var error);
            statuses[(int)status]++;
            errors[(int)error]++;
            Assert.Equal(status == ProxyHeaderStatus.Header, header is not null);
            if (input % 20 == 0)
            {
                AssertNoCutMatters(bytes, (status, length, error));
            }
        }

        foreach (var status in Enum.GetValues<ProxyHeaderStatus>())
        {
            Assert.True(statuses[(int)status] > 100, $"{status} hardly occurs");
        }

        // The last two are not the parser's.
        foreach (var error in Enum.GetValues<ProxyHeaderError>().Where(error => error < ProxyHeaderError.Truncated))
        {
            Assert.True(errors[(int)error] > 10, $"{error} hardly occurs");
        }
    }

    /// <summary>Byte by byte, the first verdict is the one of all bytes.</summary>
    private static void AssertNoCutMatters(byte[] bytes, (ProxyHeaderStatus Status, int Length, ProxyHeaderError Error) whole)
    {
        for (var count = 1; count <= bytes.Length; count++)
        {
            var status = ProxyHeaderParser.Parse(bytes.AsSpan(0, count), out _, out var length, out var error);
            if (status != ProxyHeaderStatus.NeedMore)
            {
                Assert.Equal((whole.Status, whole.Error), (status, error));
                Assert.True(status != ProxyHeaderStatus.Header || length == whole.Length);
                return;
            }
        }

        Assert.Equal(ProxyHeaderStatus.NeedMore, whole.Status);
    }

    private static byte[] Mutate(Random random, byte[] seed)
    {
        var bytes = new List<byte>(seed);
        for (var change = random.Next(4); change > 0 && bytes.Count > 0; change--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes.RemoveAt(at);
                    break;

                case 1:
                    bytes.Insert(at, TellingBytes[random.Next(TellingBytes.Length)]);
                    break;

                case 2:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;

                default:
                    bytes[at] = random.Next(2) == 0 ? (byte)random.Next(256) : TellingBytes[random.Next(TellingBytes.Length)];
                    break;
            }
        }

        if (random.Next(10) == 0)
        {
            bytes.AddRange(new byte[random.Next(5000)]);
        }

        return [.. bytes];
    }
}
