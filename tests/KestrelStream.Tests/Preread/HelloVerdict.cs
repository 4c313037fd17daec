using KestrelStream.Preread;
using KestrelStream.TestKit;
using KestrelStream.Tls;

namespace KestrelStream.Tests.Preread;

/// <summary>All that the parser said of some bytes, to be compared; <see cref="Length"/> is how many of them it took to say so.</summary>
internal sealed record HelloVerdict(
    PrereadStatus Status, ClientHelloError Error, TlsAlert Alert, string? ServerName, string Alpn, ushort HighestVersion, EncryptedHello Ech, int Length)
{
    public const int MaxWireBytes = 65536;

    /// <summary>Hands all bytes over at once; <see cref="Length"/> is that of the hello, or 0.</summary>
    public static HelloVerdict Of(ReadOnlySpan<byte> bytes, int maxWireBytes = MaxWireBytes)
    {
        var parser = new ClientHelloParser(maxWireBytes);
        parser.Advance(bytes);
        var verdict = Read(ref parser, bytes, parser.WireLength);
        parser.Dispose();
        return verdict;
    }

    /// <summary>Hands the bytes over as segments that end at the given offsets (and at their end); <see cref="Length"/> is that of the hello, or 0.</summary>
    public static HelloVerdict OfSegments(ReadOnlySpan<byte> bytes, params ReadOnlySpan<int> ends)
    {
        var parser = new ClientHelloParser(MaxWireBytes);
        foreach (var end in ends)
        {
            parser.Advance(bytes[..end]);
        }

        parser.Advance(bytes);
        var verdict = Read(ref parser, bytes, parser.WireLength);
        parser.Dispose();
        return verdict;
    }

    /// <summary>Hands the bytes over one by one; <see cref="Length"/> is the number after which the parser had decided.</summary>
    public static HelloVerdict OfDrip(ReadOnlySpan<byte> bytes, int maxWireBytes = MaxWireBytes)
    {
        var parser = new ClientHelloParser(maxWireBytes);
        var length = 0;
        while (length < bytes.Length && parser.Advance(bytes[..(length + 1)]) == PrereadStatus.NeedMore)
        {
            length++;
        }

        var verdict = Read(ref parser, bytes, Math.Min(length + 1, bytes.Length));
        parser.Dispose();
        return verdict;
    }

    /// <summary>The verdict on a handshake message however it travels.</summary>
    public static HelloVerdict OfMessage(ReadOnlySpan<byte> message, params ReadOnlySpan<int> recordOffsets)
        => Of(ClientHelloBuilder.Frame(message, recordOffsets)).WithoutLength();

    /// <summary>For comparing framings, which differ in length.</summary>
    public HelloVerdict WithoutLength() => this with { Length = 0 };

    private static HelloVerdict Read(ref ClientHelloParser parser, ReadOnlySpan<byte> bytes, int length)
    {
        // Status, by way of a call that has nothing new to look at.
        var status = parser.Advance(bytes);
        if (status != PrereadStatus.Hello)
        {
            return new HelloVerdict(status, parser.Error, parser.Alert, null, "", 0, EncryptedHello.None, length);
        }

        var hello = parser.GetHello(bytes);
        return new HelloVerdict(
            status, parser.Error, parser.Alert, hello.ServerName, Convert.ToHexString(hello.AlpnList), hello.HighestVersion, hello.Ech, length);
    }
}
