using System.Collections.Concurrent;
using System.Net;
using System.Text;
using KestrelStream.TestKit;

namespace KestrelStream.FunctionalTests.StartTls;

/// <summary>A mail server without TLS that says what real ones say, line by line, and remembers what it was told.</summary>
internal sealed class MailServer(string greeting, Func<string, string> answer) : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _lines = new();
    private ScriptedUpstream? _upstream;

    public IPEndPoint EndPoint => (_upstream ??= new ScriptedUpstream(ServeAsync)).EndPoint;

    public IReadOnlyCollection<string> Lines => _lines;

    public static string Smtp(string line) => line.Split(' ')[0] switch
    {
        "EHLO" => "250-mx.internal\r\n250 SIZE 1000000\r\n",
        "MAIL" or "RCPT" or "." => "250 ok\r\n",
        "DATA" => "354 go on\r\n",
        "QUIT" => "221 bye\r\n",
        _ => "",
    };

    public static string Imap(string line)
    {
        var words = line.Split(' ');
        return words.ElementAtOrDefault(1) switch
        {
            "CAPABILITY" => $"* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\n{words[0]} OK\r\n",
            "LIST" => $"* LIST () \"/\" INBOX\r\n{words[0]} OK\r\n",
            "LOGOUT" => $"* BYE\r\n{words[0]} OK\r\n",
            _ => $"{words[0]} OK\r\n",
        };
    }

    public static string Pop3(string line) => line.Split(' ')[0] switch
    {
        "CAPA" => "+OK\r\nUSER\r\n.\r\n",
        "LIST" => "+OK\r\n1 120\r\n.\r\n",
        _ => "+OK\r\n",
    };

    public ValueTask DisposeAsync() => _upstream?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task ServeAsync(System.Net.Sockets.Socket socket)
    {
        using var stream = new System.Net.Sockets.NetworkStream(socket);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        await stream.WriteAsync(Encoding.Latin1.GetBytes(greeting));
        while (await reader.ReadLineAsync() is { } line)
        {
            _lines.Enqueue(line);
            await stream.WriteAsync(Encoding.Latin1.GetBytes(answer(line)));
            if (line is "QUIT" || line.EndsWith(" LOGOUT", StringComparison.Ordinal))
            {
                return;
            }
        }
    }
}
