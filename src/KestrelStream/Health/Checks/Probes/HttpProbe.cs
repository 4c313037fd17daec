using System.Text;

namespace KestrelStream.Health.Checks.Probes;

/// <summary>One HTTP/1.1 request; the status, and the body when something is expected of it. Over TLS when <paramref name="tls"/> is given.</summary>
internal sealed class HttpProbe(string method, string path, string host, StatusRanges statuses, string? body, ProbeTls? tls) : IHealthProbe
{
    private readonly byte[] _request = Encoding.UTF8.GetBytes(
        $"{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: kestrelstream-check\r\nAccept: */*\r\nConnection: close\r\n\r\n");

    private readonly byte[]? _body = body is null ? null : Encoding.UTF8.GetBytes(body);

    public async ValueTask<ProbeResult> ProbeAsync(ProbeConnection connection)
    {
        if (tls is not null && await connection.StartTlsAsync(tls) is { } failure)
        {
            return failure;
        }

        if (!await connection.SendAsync(_request))
        {
            return ProbeResult.Unexpected("the connection was reset", connection.Received);
        }

        while (true)
        {
            var read = HttpAnswer.TryRead(connection.Received, out var answer);
            if (read == HttpAnswerState.Malformed)
            {
                return ProbeResult.Unexpected("not HTTP/1", connection.Received);
            }

            if (read == HttpAnswerState.Complete && answer.IsInterim)
            {
                connection.Consume(answer.HeadLength);
                continue;
            }

            if (read == HttpAnswerState.Complete && Judge(connection, answer) is { } result)
            {
                return result;
            }

            if (!await connection.ReceiveAsync())
            {
                return read == HttpAnswerState.Complete
                    ? NoBody(answer, connection)
                    : ProbeResult.Unexpected("the connection ended before the head of an answer", connection.Received);
            }
        }
    }

    private ProbeResult? Judge(ProbeConnection connection, in HttpAnswer answer)
    {
        if (!statuses.Contains(answer.Status))
        {
            return ProbeResult.Unexpected("unexpected status", answer.StatusLine(connection.Received));
        }

        if (_body is null)
        {
            return ProbeResult.Healthy(answer.StatusLine(connection.Received));
        }

        var content = answer.ReadBody(connection.Received, out var isWhole);
        return content.AsSpan().IndexOf(_body) >= 0 ? ProbeResult.Healthy(answer.StatusLine(connection.Received))
            : isWhole ? NoBody(answer, connection)
            : null;
    }

    private static ProbeResult NoBody(in HttpAnswer answer, ProbeConnection connection)
        => ProbeResult.Unexpected("the body does not have what is expected", answer.StatusLine(connection.Received));
}
