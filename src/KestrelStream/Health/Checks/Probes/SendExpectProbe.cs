namespace KestrelStream.Health.Checks.Probes;

/// <summary>
/// A dialogue: sends, and waits for what is expected in what has come since the expectation before. An expectation turned round is
/// decided by one line (or by all there is when the peer ends without a line end).
/// </summary>
internal sealed class SendExpectProbe(IReadOnlyList<SendExpectProbe.Step> steps) : IHealthProbe
{
    public async ValueTask<ProbeResult> ProbeAsync(ProbeConnection connection)
    {
        byte[] last = [];
        for (var i = 0; i < steps.Count; i++)
        {
            if (steps[i].Expect is not { } pattern)
            {
                if (!await connection.SendAsync(steps[i].Send))
                {
                    return ProbeResult.Unexpected($"step {i}: the connection was reset", connection.Received);
                }

                continue;
            }

            var end = pattern.IsNegated ? await ReceiveLineAsync(connection) : await ReceiveMatchAsync(connection, pattern);
            last = connection.Received[..Math.Max(end, 0)].ToArray();
            if (end <= 0 || (pattern.IsNegated && pattern.FindEnd(last) >= 0))
            {
                var problem = end > 0 || !connection.HasEnded ? $"step {i}: not {Quote(pattern)}" : $"step {i}: the connection ended before {Quote(pattern)}";
                return ProbeResult.Unexpected(problem, connection.Received);
            }

            connection.Consume(end);
        }

        // The line that decided.
        var text = last.AsSpan().TrimEnd("\r\n"u8);
        return ProbeResult.Healthy(text[(text.LastIndexOf((byte)'\n') + 1)..]);
    }

    private static async ValueTask<int> ReceiveMatchAsync(ProbeConnection connection, ExpectPattern pattern)
    {
        // What there is may be enough: the answer to a step before may have brought it.
        while (connection.Received.IsEmpty || pattern.FindEnd(connection.Received) < 0)
        {
            if (!await connection.ReceiveAsync())
            {
                return -1;
            }
        }

        // An expression may match nothing at all; a byte has come, which is what there is to see.
        return Math.Max(1, pattern.FindEnd(connection.Received));
    }

    private static async ValueTask<int> ReceiveLineAsync(ProbeConnection connection)
    {
        while (connection.Received.IndexOf((byte)'\n') < 0)
        {
            if (!await connection.ReceiveAsync())
            {
                return connection.Received.Length;
            }
        }

        return connection.Received.IndexOf((byte)'\n') + 1;
    }

    private static string Quote(ExpectPattern pattern) => Configuration.ErrorText.Quote(pattern.Text);

    /// <summary>One step, compiled: bytes to send, or what to wait for.</summary>
    internal sealed record Step(ReadOnlyMemory<byte> Send, ExpectPattern? Expect);
}
