using KestrelStream.Preread;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.Tests.Preread;

/// <summary>A million broken hellos, the same ones every time: nothing throws, and no cut changes a verdict.</summary>
public class ClientHelloMutationTests
{
    private const int Threads = 4;
    private const int InputsPerThread = 260_000;

    /// <summary>One input of this many is cut in other ways too.</summary>
    private const int CutOneOf = 50;

    private static readonly byte[][] Seeds =
    [
        new ClientHelloBuilder().WithServerName("www.example.com").WithAlpn("h2", "http/1.1").WithVersions(0x0304, 0x0303).BuildMessage(),
        new ClientHelloBuilder().WithSessionId().WithServerName("a.b").WithoutExtensionBlock().BuildMessage(),
        new ClientHelloBuilder().WithSessionId().WithVersions(0x3a3a, 0x0304).WithExtension(0x0a0a, []).WithExtension(0xfe0d, [0, 1])
            .WithAlpn("x").WithServerName("b.").WithExtension(41, [0, 0]).BuildMessage(),
        new ClientHelloBuilder().WithSessionId(1, 2, 3).WithServerName("::1").WithExtension(0x4444, ClientHelloBuilder.Record([1, 0, 0, 60])).BuildMessage(),
        new ClientHelloBuilder().WithSessionId().WithAlpn("a", "b", "c").WithServerName("10.0.0.1").PaddedTo(160).BuildMessage(),
    ];

    private static readonly byte[] TellingBytes = [0, 1, 2, 3, 4, 0x0a, 0x10, 0x14, 0x15, 0x16, 0x17, 0x20, 0x21, 0x29, 0x2b, 0x2e, 0x40, 0x41, 0x7f, 0x80, 0xfe, 0xff];

    [Fact]
    public void Advance_MutatedHellos_NeverThrowsAndNoCutMatters()
    {
        var verdicts = new (int[] Statuses, int[] Errors)[Threads];

        Parallel.For(0, Threads, seed => verdicts[seed] = Run(seed));

        // The run reached all that it is meant to reach.
        foreach (var status in Enum.GetValues<PrereadStatus>())
        {
            Assert.True(verdicts.Sum(v => v.Statuses[(int)status]) > 100, $"{status} hardly occurs");
        }

        foreach (var error in Enum.GetValues<ClientHelloError>())
        {
            Assert.True(verdicts.Sum(v => v.Errors[(int)error]) > 10, $"{error} hardly occurs");
        }
    }

    private static (int[] Statuses, int[] Errors) Run(int seed)
    {
        var random = new Random(seed);
        var statuses = new int[Enum.GetValues<PrereadStatus>().Length];
        var errors = new int[Enum.GetValues<ClientHelloError>().Length];
        var buffer = new byte[1024];
        for (var input = 0; input < InputsPerThread; input++)
        {
            // Either the message is mutated and then put into records, or the wire with its record headers.
            var message = Seeds[random.Next(Seeds.Length)];
            var inRecords = random.Next(4) == 0;
            var length = inRecords ? WriteRecords(random, message, buffer) : WriteMessage(random, message, buffer);
            var bytes = buffer.AsSpan(0, length);

            var parser = new ClientHelloParser(HelloVerdict.MaxWireBytes);
            statuses[(int)parser.Advance(bytes)]++;
            errors[(int)parser.Error]++;
            parser.Dispose();

            if (input % CutOneOf == 0)
            {
                AssertNoCutMatters(random, bytes, isMessage: !inRecords);
            }
        }

        return (statuses, errors);
    }

    private static void AssertNoCutMatters(Random random, ReadOnlySpan<byte> bytes, bool isMessage)
    {
        var expected = HelloVerdict.Of(bytes);
        AssertSame(bytes, expected, HelloVerdict.OfSegments(bytes, Offsets(random, bytes.Length)));
        AssertSame(bytes, expected.WithoutLength(), HelloVerdict.OfDrip(bytes).WithoutLength());

        // Bytes behind what was decided on, or behind the hello, change nothing.
        if (expected.Status != PrereadStatus.NeedMore)
        {
            AssertSame(bytes, expected, HelloVerdict.Of([.. bytes, 0x16, 3, 1, 0, 0]));
        }

        if (isMessage && Message(bytes) is { Length: > 0 } message)
        {
            var wire = ClientHelloBuilder.Frame(message, Offsets(random, message.Length));
            AssertSame(bytes, expected.WithoutLength(), HelloVerdict.OfSegments(wire, Offsets(random, wire.Length)).WithoutLength());
        }
    }

    /// <summary>The message that a record holds, if other framings of it must be judged alike: bytes behind it must not be there, and no limit near.</summary>
    private static ReadOnlySpan<byte> Message(ReadOnlySpan<byte> wire)
    {
        var message = wire[ClientHelloBuilder.RecordHeaderLength..];
        if (message.Length < ClientHelloBuilder.MessageHeaderLength)
        {
            return message;
        }

        var announced = ((message[1] << 16) | (message[2] << 8) | message[3]) + ClientHelloBuilder.MessageHeaderLength;
        return announced < message.Length || announced is > 60000 and <= HelloVerdict.MaxWireBytes ? [] : message;
    }

    private static void AssertSame(ReadOnlySpan<byte> bytes, HelloVerdict expected, HelloVerdict actual)
    {
        if (expected != actual)
        {
            Assert.Fail($"{Convert.ToHexString(bytes)}: {expected} at once, {actual} in pieces");
        }
    }

    /// <summary>A mutated message in one record.</summary>
    private static int WriteMessage(Random random, byte[] message, byte[] buffer)
    {
        const int header = ClientHelloBuilder.RecordHeaderLength;

        message.CopyTo(buffer, header);
        var length = Mutate(random, buffer.AsSpan(header), message.Length);
        if (random.Next(2) == 0)
        {
            // Repaired, so that the mutation gets past the first length.
            buffer[header + 1] = 0;
            buffer[header + 2] = (byte)((length - 4) >> 8);
            buffer[header + 3] = (byte)(length - 4);
        }

        buffer[0] = 0x16;
        buffer[1] = 3;
        buffer[2] = 1;
        buffer[3] = (byte)(length >> 8);
        buffer[4] = (byte)length;
        return header + length;
    }

    /// <summary>A message in two records, mutated together with their headers.</summary>
    private static int WriteRecords(Random random, byte[] message, byte[] buffer)
    {
        const int header = ClientHelloBuilder.RecordHeaderLength;

        var first = random.Next(1, message.Length);
        var second = message.Length - first;
        ((ReadOnlySpan<byte>)[0x16, 3, 1, 0, (byte)first]).CopyTo(buffer);
        message.AsSpan(0, first).CopyTo(buffer.AsSpan(header));
        ((ReadOnlySpan<byte>)[0x16, 3, 3, 0, (byte)second]).CopyTo(buffer.AsSpan(header + first));
        message.AsSpan(first).CopyTo(buffer.AsSpan((2 * header) + first));
        var length = message.Length + (2 * header);

        // Mostly in one of the headers.
        if (random.Next(4) != 0)
        {
            var at = random.Next(header) + (random.Next(2) * (header + first));
            buffer[at] = TellingBytes[random.Next(TellingBytes.Length)];
            return length;
        }

        return Mutate(random, buffer, length);
    }

    /// <summary>One to three changes; the new length, at least a message header.</summary>
    private static int Mutate(Random random, Span<byte> bytes, int length)
    {
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var at = random.Next(length);
            switch (random.Next(8))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2 or 3:
                    bytes[at] = TellingBytes[random.Next(TellingBytes.Length)];
                    break;
                case 4 or 5:
                    bytes[at] += (byte)(random.Next(2) == 0 ? 1 : -1);
                    break;
                case 6 when length < bytes.Length - 16:
                    var inserted = random.Next(1, 16);
                    bytes[at..length].CopyTo(bytes[(at + inserted)..]);
                    length += inserted;
                    break;
                case 7 when length > 20:
                    var removed = Math.Min(random.Next(1, 16), length - Math.Max(at, ClientHelloBuilder.MessageHeaderLength));
                    at = Math.Max(at, ClientHelloBuilder.MessageHeaderLength);
                    bytes[(at + removed)..length].CopyTo(bytes[at..]);
                    length -= removed;
                    break;
            }
        }

        return Math.Max(length, ClientHelloBuilder.MessageHeaderLength);
    }

    private static int[] Offsets(Random random, int length)
        => [.. Enumerable.Range(0, random.Next(6)).Select(_ => random.Next(1, Math.Max(2, length))).Where(o => o < length).Distinct().Order()];
}
