using System.Text;

namespace KestrelStream.Health.Checks.Probes;

/// <summary>Redis, Valkey, KeyDB: PING, after AUTH when there is a password. A server that wants a password which we do not have works.</summary>
internal sealed class RedisProbe : IHealthProbe
{
    private readonly byte[] _request;
    private readonly bool _hasAuth;

    public RedisProbe(string? user, string? password)
    {
        _hasAuth = password is not null;
        var auth = password is null ? "" : user is null ? Command("AUTH", password) : Command("AUTH", user, password);
        _request = Encoding.UTF8.GetBytes(auth + Command("PING"));
    }

    public async ValueTask<ProbeResult> ProbeAsync(ProbeConnection connection)
    {
        if (!await connection.SendAsync(_request))
        {
            return ProbeResult.Unexpected("the connection was reset", connection.Received);
        }

        if (_hasAuth)
        {
            var answer = await ReceiveLineAsync(connection);
            if (!answer.Span.SequenceEqual("+OK"u8))
            {
                return ProbeResult.Unexpected("not +OK", answer.Span);
            }
        }

        var pong = await ReceiveLineAsync(connection);
        return pong.Span.SequenceEqual("+PONG"u8) || pong.Span.StartsWith("-NOAUTH"u8)
            ? ProbeResult.Healthy(pong.Span)
            : ProbeResult.Unexpected("not +PONG", pong.Span);
    }

    private static string Command(params string[] words)
        => $"*{words.Length}\r\n" + string.Concat(words.Select(word => $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n"));

    /// <summary>Without its end; what there is when the peer ends before.</summary>
    private static async ValueTask<ReadOnlyMemory<byte>> ReceiveLineAsync(ProbeConnection connection)
    {
        int end;
        while ((end = connection.Received.IndexOf("\r\n"u8)) < 0)
        {
            if (!await connection.ReceiveAsync())
            {
                return connection.Received.ToArray();
            }
        }

        var line = connection.Received[..end].ToArray();
        connection.Consume(end + 2);
        return line;
    }
}
