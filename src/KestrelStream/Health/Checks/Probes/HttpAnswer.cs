using System.Buffers.Text;
using System.Text;

namespace KestrelStream.Health.Checks.Probes;

/// <summary>The head of an HTTP/1 answer (RFC 9112 §4, §6.3), as far as a check needs it. Pure; never throws.</summary>
internal readonly struct HttpAnswer
{
    /// <summary>Servers' own limits are 8 or 16 KiB.</summary>
    private const int MaxHead = 32 * 1024;

    private readonly int _statusLineLength;

    private HttpAnswer(int status, int statusLineLength, int headLength)
    {
        Status = status;
        _statusLineLength = statusLineLength;
        HeadLength = headLength;
    }

    public int Status { get; }

    /// <summary>Up to the body.</summary>
    public int HeadLength { get; }

    /// <summary>100 or 103: the answer proper comes behind it.</summary>
    public bool IsInterim => Status is >= 100 and < 200 and not 101;

    public static HttpAnswerState TryRead(ReadOnlySpan<byte> received, out HttpAnswer answer)
    {
        answer = default;

        // Said as early as possible: another protocol may send a few bytes and then wait.
        if (!"HTTP/1."u8.StartsWith(received[..Math.Min(received.Length, 7)]))
        {
            return HttpAnswerState.Malformed;
        }

        var headLength = received.IndexOf("\r\n\r\n"u8);
        if (headLength < 0)
        {
            return received.Length > MaxHead ? HttpAnswerState.Malformed : HttpAnswerState.Incomplete;
        }

        var statusLine = received[..received.IndexOf("\r\n"u8)];
        if (statusLine.Length < 12 || statusLine[8] != ' ' || !Utf8Parser.TryParse(statusLine.Slice(9, 3), out int status, out var used)
            || used != 3 || status < 100 || (statusLine.Length > 12 && statusLine[12] != ' '))
        {
            return HttpAnswerState.Malformed;
        }

        answer = new HttpAnswer(status, statusLine.Length, headLength + 4);
        return HttpAnswerState.Complete;
    }

    public ReadOnlySpan<byte> StatusLine(ReadOnlySpan<byte> received) => received[.._statusLineLength];

    /// <summary>The body as far as it is there, without the framing of chunks.</summary>
    public byte[] ReadBody(ReadOnlySpan<byte> received, out bool isWhole)
    {
        var content = received[HeadLength..];
        var (isChunked, length) = ReadFraming(received);
        if (isChunked)
        {
            return ReadChunks(content, out isWhole);
        }

        isWhole = length >= 0 && content.Length >= length;
        return isWhole ? content[..(int)length].ToArray() : content.ToArray();
    }

    private static byte[] ReadChunks(ReadOnlySpan<byte> content, out bool isWhole)
    {
        var body = new MemoryStream();
        isWhole = false;
        while (content.IndexOf("\r\n"u8) is >= 0 and var end)
        {
            // A broken size ends the body: what was read is judged.
            if (!Utf8Parser.TryParse(content[..end], out int size, out _, 'x') || size <= 0)
            {
                isWhole = true;
                break;
            }

            content = content[(end + 2)..];
            body.Write(content[..Math.Min(size, content.Length)]);
            if (content.Length < (long)size + 2)
            {
                break;
            }

            content = content[(size + 2)..];
        }

        return body.ToArray();
    }

    /// <summary>How the end of the body is told; a length of -1 = by the end of the connection.</summary>
    private (bool IsChunked, long Length) ReadFraming(ReadOnlySpan<byte> received)
    {
        var isChunked = false;
        long length = Status is 204 or 304 ? 0 : -1;
        foreach (var line in Encoding.Latin1.GetString(received[_statusLineLength..(HeadLength - 4)]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = line.IndexOf(':');
            var name = colon < 0 ? "" : line[..colon];
            var value = colon < 0 ? "" : line[(colon + 1)..].Trim();
            if (name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
            {
                isChunked = value.EndsWith("chunked", StringComparison.OrdinalIgnoreCase);
            }
            else if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) && length < 0 && long.TryParse(value, out var stated) && stated >= 0)
            {
                length = stated;
            }
        }

        return (isChunked, length);
    }
}
