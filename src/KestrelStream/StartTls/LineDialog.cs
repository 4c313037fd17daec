using System.Buffers;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Sessions;

namespace KestrelStream.StartTls;

/// <summary>Protocols of lines in which the server greets: SMTP, IMAP, POP3. Nothing of the talk before TLS is passed on, as nothing of it counts after (RFC 3207 §4.2).</summary>
internal abstract class LineDialog : StartTlsDialog
{
    /// <summary>Clients ask for TLS within two or three.</summary>
    private const int MostCommands = 20;

    /// <summary>Lines of a destination's greeting.</summary>
    private const int MostGreetingLines = 20;

    public sealed override bool ServerSpeaksFirst => true;

    public sealed override async ValueTask<StartTlsStatus> AskAsync(StreamSession session, ReadOnlyMemory<byte> greeting)
    {
        var name = session.ListenerModel.Config.StartTls?.Name ?? Environment.MachineName;
        if (!(await session.Transport.SendAsync(greeting.IsEmpty ? Encoding.ASCII.GetBytes(Greet(name)) : greeting)).IsOk)
        {
            return StartTlsStatus.Gone;
        }

        await EndWaitAsync(session);
        using var lines = new LineReader(session.Transport);
        for (var commands = 0; commands < MostCommands; commands++)
        {
            if (await lines.ReadAsync() is not { } line)
            {
                return StartTlsStatus.Gone;
            }

            var answer = Answer(line.Span, name);
            if (answer.Status == StartTlsStatus.Ready && lines.HasMore)
            {
                // Commands behind the one that asks for TLS: an attacker in between could have put them there (CVE-2011-0411).
                return StartTlsStatus.Violation;
            }

            if (!(await session.Transport.SendAsync(Encoding.Latin1.GetBytes(answer.Text))).IsOk)
            {
                return StartTlsStatus.Gone;
            }

            if (answer.Status is { } status)
            {
                return status;
            }
        }

        return StartTlsStatus.Violation;
    }

    /// <summary>The client has been greeted: what the destination says is read and dropped.</summary>
    public sealed override async ValueTask<bool> BeginUpstreamAsync(StreamSession session) => await ReadGreetingAsync(session) is { IsEmpty: false };

    public sealed override bool TakesGreeting(ListenerConfig listener) => listener.StartTls?.Greeting == StartTlsGreeting.Destination;

    public sealed override async ValueTask<ReadOnlyMemory<byte>> ReadGreetingAsync(StreamSession session)
    {
        if (!await SendHeaderAsync(session))
        {
            return default;
        }

        using var lines = new LineReader(session.Upstream!);
        var greeting = new ArrayBufferWriter<byte>();
        for (var count = 0; count < MostGreetingLines; count++)
        {
            if (await lines.ReadAsync() is not { } line || !IsReady(line.Span))
            {
                return default;
            }

            greeting.Write(line.Span);
            greeting.Write("\r\n"u8);
            if (IsLast(line.Span))
            {
                return lines.HasMore ? default : greeting.WrittenMemory;
            }
        }

        return default;
    }

    /// <summary>The proxy's own greeting.</summary>
    protected abstract string Greet(string name);

    protected abstract LineAnswer Answer(ReadOnlySpan<byte> line, string name);

    /// <summary>Whether a line of a destination's greeting says that it takes clients.</summary>
    protected abstract bool IsReady(ReadOnlySpan<byte> line);

    /// <summary>Whether the greeting ends with this line.</summary>
    protected virtual bool IsLast(ReadOnlySpan<byte> line) => true;

    /// <summary>The first word, in upper case; longer ones than any command are none.</summary>
    protected static string WordOf(ReadOnlySpan<byte> line)
    {
        var end = line.IndexOfAny((byte)' ', (byte)'\t');
        var word = end < 0 ? line : line[..end];
        return word.Length <= 16 ? Encoding.ASCII.GetString(word).ToUpperInvariant() : "";
    }

    /// <summary>What follows the first word.</summary>
    protected static ReadOnlySpan<byte> RestOf(ReadOnlySpan<byte> line)
    {
        var end = line.IndexOfAny((byte)' ', (byte)'\t');
        return end < 0 ? default : line[(end + 1)..].TrimStart((byte)' ');
    }
}
