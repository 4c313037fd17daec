namespace KestrelStream.StartTls;

/// <summary>POP3 (RFC 2595 §4).</summary>
internal sealed class Pop3Dialog : LineDialog
{
    public override string Name => "pop3";

    protected override string Greet(string name) => $"+OK {name} ready\r\n";

    protected override LineAnswer Answer(ReadOnlySpan<byte> line, string name) => WordOf(line) switch
    {
        "CAPA" => new("+OK\r\nSTLS\r\n.\r\n"),
        "NOOP" => new("+OK\r\n"),
        "STLS" => new("+OK Begin TLS negotiation\r\n", StartTlsStatus.Ready),
        "QUIT" => new("+OK Bye\r\n", StartTlsStatus.Quit),
        _ => new("-ERR STLS comes first\r\n"),
    };

    protected override bool IsReady(ReadOnlySpan<byte> line) => line.StartsWith("+OK"u8);
}
