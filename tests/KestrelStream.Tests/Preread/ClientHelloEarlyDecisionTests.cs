using KestrelStream.Preread;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.Tests.Preread;

/// <summary>On which byte the verdict falls: not later, and never before all that it rests on.</summary>
public class ClientHelloEarlyDecisionTests
{
    private const int MaxWireBytes = 1024;

    private static readonly byte[] Message = ClientHelloBuilder.Browser("a.example").BuildMessage();

    private static readonly (string What, byte[] Bytes, int DecidedAfter, PrereadStatus Status)[] Decisions =
    [
        ("HTTP", "GET / HTTP/1.1\r\n"u8.ToArray(), 1, PrereadStatus.NotTls),
        ("SSH", "SSH-2.0-x\r\n"u8.ToArray(), 1, PrereadStatus.NotTls),
        ("PROXY v1", "PROXY TCP4 "u8.ToArray(), 1, PrereadStatus.NotTls),
        ("PROXY v2", "\r\n\r\n\0\r\nQUIT\n"u8.ToArray(), 1, PrereadStatus.NotTls),
        ("PostgreSQL SSLRequest", [0, 0, 0, 8, 4, 210, 22, 47], 1, PrereadStatus.NotTls),
        ("a TLS alert", [0x15, 3, 1, 0, 2, 1, 0], 1, PrereadStatus.NotTls),
        ("DTLS", [0x16, 0xfe, 0xfd, 0, 0], 2, PrereadStatus.NotTls),
        ("0x16 and another major version", [0x16, 2, 0, 0, 9], 2, PrereadStatus.NotTls),
        ("QUIC Initial", [0xc3, 0, 0, 0, 1, 8], 3, PrereadStatus.NotTls),
        ("ONC RPC record mark", [0x80, 0, 0, 0x28, 1, 2], 3, PrereadStatus.NotTls),
        ("MessagePack request", [0x94, 0, 1, 0xa4, 0x70], 4, PrereadStatus.NotTls),
        ("SSLv2 form, version 0.3", [0x80, 0x2e, 1, 0, 3, 0], 5, PrereadStatus.NotTls),
        ("SSLv2 form, version 3.16", [0x80, 0x2e, 1, 3, 16, 0], 5, PrereadStatus.NotTls),
        ("SSLv2 form, version 2.0", [0x80, 0x2e, 1, 2, 0, 0], 4, PrereadStatus.NotTls),
        ("SSLv2 form, SSL 2.0", [0x80, 0x2e, 1, 0, 2, 0], 5, PrereadStatus.Malformed),
        ("SSLv2 form, TLS 1.2", [0xff, 0xff, 1, 3, 3, 0], 5, PrereadStatus.Malformed),
        ("record of 0", [0x16, 3, 1, 0, 0, 1], 5, PrereadStatus.Malformed),
        ("record of 16,385", [0x16, 3, 1, 0x40, 1, 1], 5, PrereadStatus.Malformed),
        ("another message type", [0x16, 3, 1, 1, 0, 2, 0], 6, PrereadStatus.Malformed),
        ("message of 40", [0x16, 3, 1, 0, 44, 1, 0, 0, 40, 3], 9, PrereadStatus.Malformed),
        ("message shorter than its record", [0x16, 3, 1, 0, 100, 1, 0, 0, 95, 3], 9, PrereadStatus.Malformed),
        ("message longer than the limit by 1", [0x16, 3, 1, 0, 100, 1, 0, 3, 0xf3, 3], 9, PrereadStatus.TooLarge),
        ("message of 16 MiB", [0x16, 3, 1, 0, 100, 1, 0xff, 0xff, 0xff, 3], 9, PrereadStatus.TooLarge),
        ("message length in a second record", [0x16, 3, 1, 0, 2, 1, 0, 0x16, 3, 1, 0, 60, 4, 0, 3], 14, PrereadStatus.TooLarge),
    ];

    [Fact]
    public void Advance_Drip_DecidesOnTheByte()
        => Assert.All(Decisions, decision =>
        {
            var (what, bytes, decidedAfter, status) = decision;
            var verdict = HelloVerdict.OfDrip(bytes, MaxWireBytes);

            Assert.Equal((what, status, decidedAfter), (what, verdict.Status, verdict.Length));
            // All the same when they come at once, or with anything else behind them.
            Assert.Equal((what, status), (what, HelloVerdict.Of(bytes, MaxWireBytes).Status));
            Assert.Equal((what, status), (what, HelloVerdict.Of([.. bytes[..decidedAfter], .. new byte[100]], MaxWireBytes).Status));
        });

    [Fact]
    public void Advance_Nothing_NeedsMore() => Assert.Equal(PrereadStatus.NeedMore, HelloVerdict.Of([]).Status);

    [Fact]
    public void Advance_EveryFirstByte_IsTlsNotTlsOrUndecided()
    {
        for (var b = 0; b <= 0xff; b++)
        {
            var expected = b == 0x16 || b >= 0x80 ? PrereadStatus.NeedMore : PrereadStatus.NotTls;

            Assert.Equal((b, expected), (b, HelloVerdict.Of([(byte)b]).Status));
        }
    }

    [Fact]
    public void Advance_Hello_DecidesOnItsLastByte()
    {
        var bytes = ClientHelloBuilder.Frame(Message, 1, 700);

        Assert.Equal((PrereadStatus.Hello, bytes.Length), (HelloVerdict.OfDrip(bytes).Status, HelloVerdict.OfDrip(bytes).Length));
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Equal(PrereadStatus.NeedMore, HelloVerdict.Of(bytes.AsSpan(0, length)).Status);
        }
    }

    [Fact]
    public void Advance_RecordTypeOfALaterRecord_DecidesOnThatByte()
    {
        byte[] bytes = [.. ClientHelloBuilder.Record(Message.AsSpan(0, 9)), 0x15, 3];

        var verdict = HelloVerdict.OfDrip(bytes);

        Assert.Equal((PrereadStatus.Malformed, 15), (verdict.Status, verdict.Length));
    }

    [Fact]
    public void Advance_TinyRecords_AreTooLargeOnceTheyCannotFit()
    {
        var message = new ClientHelloBuilder().PaddedTo(500).BuildMessage();
        var wire = ClientHelloBuilder.Frame(message, [.. Enumerable.Range(1, message.Length - 1)]);

        var verdict = HelloVerdict.OfDrip(wire, MaxWireBytes);

        Assert.Equal(PrereadStatus.TooLarge, verdict.Status);
        // With n records of one byte read, at least 6n + (500 - n) + 5 must come: above 1,024 from the 104th on, known with its header.
        Assert.Equal((103 * 6) + 5, verdict.Length);
        Assert.Equal(PrereadStatus.Hello, HelloVerdict.OfDrip(wire, wire.Length).Status);
    }

    // Whoever reads for the parser needs a buffer of the limit and no rule of its own for a full one.
    [Fact]
    public void Advance_LimitReached_IsDecided()
    {
        var random = new Random(7);
        for (var round = 0; round < 2000; round++)
        {
            var message = new ClientHelloBuilder().PaddedTo(random.Next(200, 2000)).BuildMessage();
            var offsets = Enumerable.Range(1, message.Length - 1).Where(_ => random.Next(8) == 0).ToArray();
            var wire = ClientHelloBuilder.Frame(message, offsets);
            if (wire.Length >= MaxWireBytes)
            {
                Assert.NotEqual(PrereadStatus.NeedMore, HelloVerdict.Of(wire.AsSpan(0, MaxWireBytes), MaxWireBytes).Status);
            }

            Assert.Equal(wire.Length <= MaxWireBytes ? PrereadStatus.Hello : PrereadStatus.TooLarge, HelloVerdict.Of(wire, MaxWireBytes).Status);
        }
    }
}
