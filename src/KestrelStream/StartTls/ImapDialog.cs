using System.Text;

namespace KestrelStream.StartTls;

/// <summary>IMAP (RFC 9051 §6.2.1). Commands have a tag of the client's, which stands in the answer.</summary>
internal sealed class ImapDialog : LineDialog
{
    private const string Capabilities = "CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED";
    private const int MaxTagBytes = 64;

    public override string Name => "imap";

    protected override string Greet(string name) => $"* OK [{Capabilities}] {name} ready\r\n";

    protected override LineAnswer Answer(ReadOnlySpan<byte> line, string name)
    {
        if (TagOf(line) is not { } tag)
        {
            return new("* BAD A tag is missing\r\n");
        }

        return WordOf(RestOf(line)) switch
        {
            "CAPABILITY" => new($"* {Capabilities}\r\n{tag} OK Done\r\n"),
            "NOOP" => new($"{tag} OK Done\r\n"),
            "STARTTLS" => new($"{tag} OK Begin TLS negotiation now\r\n", StartTlsStatus.Ready),
            "LOGOUT" => new($"* BYE Logging out\r\n{tag} OK Done\r\n", StartTlsStatus.Quit),
            "LOGIN" or "AUTHENTICATE" => new($"{tag} NO [PRIVACYREQUIRED] STARTTLS comes first\r\n"),
            _ => new($"{tag} BAD STARTTLS comes first\r\n"),
        };
    }

    protected override bool IsReady(ReadOnlySpan<byte> line) => line.StartsWith("* OK"u8) || line.StartsWith("* PREAUTH"u8);

    /// <summary>Printable, as it goes back to the client.</summary>
    private static string? TagOf(ReadOnlySpan<byte> line)
    {
        var end = line.IndexOf((byte)' ');
        return end is > 0 and <= MaxTagBytes && !line[..end].ContainsAnyExceptInRange((byte)0x21, (byte)0x7e) ? Encoding.ASCII.GetString(line[..end]) : null;
    }
}
