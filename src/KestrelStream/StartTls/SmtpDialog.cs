namespace KestrelStream.StartTls;

/// <summary>SMTP and submission (RFC 3207). After TLS the client begins anew with EHLO, which the destination answers.</summary>
internal sealed class SmtpDialog : LineDialog
{
    public override string Name => "smtp";

    protected override string Greet(string name) => $"220 {name} ESMTP\r\n";

    protected override LineAnswer Answer(ReadOnlySpan<byte> line, string name) => WordOf(line) switch
    {
        "EHLO" => new($"250-{name}\r\n250 STARTTLS\r\n"),
        "HELO" => new($"250 {name}\r\n"),
        "NOOP" or "RSET" => new("250 2.0.0 OK\r\n"),
        "STARTTLS" when !RestOf(line).IsEmpty => new("501 5.5.4 STARTTLS takes no parameter\r\n"),
        "STARTTLS" => new("220 2.0.0 Ready to start TLS\r\n", StartTlsStatus.Ready),
        "QUIT" => new("221 2.0.0 Bye\r\n", StartTlsStatus.Quit),
        _ => new("530 5.7.0 Must issue a STARTTLS command first\r\n"),
    };

    protected override bool IsReady(ReadOnlySpan<byte> line) => line.StartsWith("220"u8);

    /// <summary><c>220-</c> goes on, <c>220 </c> ends (RFC 5321 §4.2.1).</summary>
    protected override bool IsLast(ReadOnlySpan<byte> line) => line is not [_, _, _, (byte)'-', ..];
}
