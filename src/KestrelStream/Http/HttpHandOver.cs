using System.Buffers;
using System.IO.Pipelines;
using KestrelStream.Preread;
using KestrelStream.Relay;
using KestrelStream.Sessions;
using KestrelStream.Tls;
using KestrelStream.Transport;
using KestrelStream.Transport.EventLoop;
using Microsoft.AspNetCore.Connections;

namespace KestrelStream.Http;

/// <summary>
/// The relay of a session whose other end is the app's HTTP pipeline, in this process: moves bytes between the client and the two pipes that Kestrel reads
/// and writes. Both movers run where the session does; Kestrel and the app run on the thread pool. One for the process; thread-safe.
/// </summary>
internal sealed class HttpHandOver(HttpApp app) : IStreamRelay
{
    /// <summary>How long a client whose last answer is sent may take to end its own sending: closing before would reset it, and the answer with it.</summary>
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);

    private const int ReceiveBytes = 16 * 1024;

    public async ValueTask RunAsync(StreamSession session)
    {
        await session.Environment.ResumeAsync();
        session.EnterRelay();
        var client = LoopTlsConnection.Over(session.Client);
        var input = new Pipe(app.InputOptions);
        var output = new Pipe(app.OutputOptions);
        var connection = new HandedOverConnection(session, input, output, session.Transport.GetBoundEndPoint() ?? session.Transport.LocalEndPoint);
        if (!await app.WaitForStartAsync(session) || !app.TryServe(connection, isHttp2: StartsHttp2(session)))
        {
            // Accepted before the drain began, with its request after.
            session.TryEnd(SessionEndReason.DrainTimeout);
            client.Close();
            return;
        }

        await session.Environment.ResumeAsync();
        var receiving = ReceiveAsync(session, client, connection, input.Writer, output.Reader);
        var sending = SendAsync(session, client, connection, output.Reader);
        await sending;
        if (!receiving.IsCompleted)
        {
            session.Enter(SessionPhase.Refuse, Linger);
        }

        await receiving;
        session.TryEnd(SessionEndReason.Completed);
        client.Close();
    }

    private static async Task ReceiveAsync(StreamSession session, StreamConnection client, HandedOverConnection connection, PipeWriter input, PipeReader output)
    {
        var status = await ReceiveToEndAsync(session, client, input);
        if (status == IOStatus.Reset)
        {
            session.TryEnd(SessionEndReason.ClientReset);
            input.Complete(new ConnectionResetException("The client has reset the connection."));
        }
        else if (status == IOStatus.Aborted)
        {
            input.Complete(new ConnectionAbortedException("The session has ended."));
        }
        else
        {
            // Also without close_notify: HTTP says itself where a message ends.
            input.Complete();
        }

        var isClean = status is IOStatus.Ok or IOStatus.Truncated;
        connection.ClientEnded(isClean);
        if (!isClean)
        {
            // The session ends now, however long the app takes to notice.
            output.CancelPendingRead();
        }
    }

    private static async Task<IOStatus> ReceiveToEndAsync(StreamSession session, StreamConnection client, PipeWriter input)
    {
        if (session.Preread is { Length: > 0 } preread && session.Tls is null)
        {
            session.CountIn(preread.Length);
            await input.WriteAsync(preread.Written);
        }

        if (session.Tls is null)
        {
            session.ReleasePreread();
        }

        var waiting = session.PendingWait;
        session.PendingWait = null;
        while (true)
        {
            // An idle client holds no buffer: the pipe gives its last one back when all of it is read.
            var status = waiting is null ? await client.WaitToReceiveAsync() : await waiting;
            waiting = null;
            if (status != IOStatus.Ok)
            {
                return status;
            }

            var received = await client.ReceiveAsync(input.GetMemory(ReceiveBytes));
            if (!received.IsOk || received.Count == 0)
            {
                // FlushAsync is not called: what it would tell Kestrel comes with the end.
                return received.Status;
            }

            session.CountIn(received.Count);
            session.Touch();
            input.Advance(received.Count);

            // Once Kestrel reads no more the pipe drops what comes. Where it is behind, its thread completes the wait.
            _ = await input.FlushAsync();
            await session.Environment.ResumeAsync();
        }
    }

    private static async Task SendAsync(StreamSession session, StreamConnection client, HandedOverConnection connection, PipeReader output)
    {
        var status = await SendToEndAsync(session, client, output);
        if (status == IOStatus.Ok)
        {
            output.Complete();
            _ = await client.ShutdownSendAsync();
            return;
        }

        if (status == IOStatus.Reset)
        {
            session.TryEnd(SessionEndReason.ClientReset);
        }

        output.Complete(new ConnectionResetException("The client has reset the connection."));
        connection.ClientEnded(isClean: false);
        client.Reset();
    }

    private static async Task<IOStatus> SendToEndAsync(StreamSession session, StreamConnection client, PipeReader output)
    {
        while (true)
        {
            // Kestrel's thread completes it.
            var read = await output.ReadAsync();
            await session.Environment.ResumeAsync();
            if (read.IsCanceled)
            {
                return IOStatus.Aborted;
            }

            foreach (var segment in read.Buffer)
            {
                session.Sending(+1);
                var sent = await client.SendAsync(segment);
                session.Sending(-1);
                session.CountOut(sent.Count);
                session.Touch();
                if (!sent.IsOk)
                {
                    return sent.Status;
                }
            }

            output.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return IOStatus.Ok;
            }
        }
    }

    /// <summary>HTTP/2 in the clear begins with the preface of RFC 9113 §3.4; with TLS the ALPN says it. "PRI " is no method of HTTP/1.</summary>
    private static bool StartsHttp2(StreamSession session)
        => session.Tls is null && session.Preread is { Length: >= 4 } preread && preread.Written.Span[..4].SequenceEqual("PRI "u8);
}
