namespace KestrelStream.Health.Checks.Probes;

/// <summary>SMTP: the banner (220), EHLO (250), QUIT (RFC 5321 §3.1, §4.1.1).</summary>
internal sealed class SmtpProbe : IHealthProbe
{
    private static readonly byte[] Ehlo = "EHLO localhost\r\n"u8.ToArray();
    private static readonly byte[] Quit = "QUIT\r\n"u8.ToArray();

    public async ValueTask<ProbeResult> ProbeAsync(ProbeConnection connection)
    {
        var banner = await ReceiveReplyAsync(connection);
        if (!banner.Span.StartsWith("220"u8))
        {
            return ProbeResult.Unexpected("no banner 220", banner.Span);
        }

        if (!await connection.SendAsync(Ehlo))
        {
            return ProbeResult.Unexpected("the connection was reset after the banner", banner.Span);
        }

        var hello = await ReceiveReplyAsync(connection);
        if (!hello.Span.StartsWith("250"u8))
        {
            return ProbeResult.Unexpected("EHLO was not answered with 250", hello.Span);
        }

        // Servers log a client that just goes away. Its answer adds nothing, but closing with it unread would reset the connection.
        if (await connection.SendAsync(Quit))
        {
            await ReceiveReplyAsync(connection);
        }

        return ProbeResult.Healthy(banner.Span);
    }

    /// <summary>The last line of a reply ("250 x", where "250-x" goes on); what there is when the peer ends before.</summary>
    private static async ValueTask<ReadOnlyMemory<byte>> ReceiveReplyAsync(ProbeConnection connection)
    {
        while (true)
        {
            var end = connection.Received.IndexOf((byte)'\n');
            if (end < 0)
            {
                if (!await connection.ReceiveAsync())
                {
                    return connection.Received.ToArray();
                }

                continue;
            }

            var line = connection.Received[..end].TrimEnd((byte)'\r').ToArray();
            connection.Consume(end + 1);
            if (line is not [_, _, _, (byte)'-', ..])
            {
                return line;
            }
        }
    }
}
