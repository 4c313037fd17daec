using System.Net.Sockets;
using KestrelStream.Model;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Transport;

/// <summary>
/// How long accepting pauses after an error. Three tiers: the client's doing (go on at once), the machine's or the process's
/// shortage (50 ms, doubled up to 500 ms, one warning a second), and the end of the listener. One per accept loop; not thread-safe.
/// </summary>
/// <remarks>At EMFILE the kernel keeps the connection in its queue and reports it again at once: without a pause the loop takes a whole core.</remarks>
internal sealed partial class AcceptBackOff(ListenerState listener, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan WarnEvery = TimeSpan.FromSeconds(1);

    private TimeSpan _next = Shortest;
    private long _warned;
    private int _suppressed;

    public void Accepted() => _next = Shortest;

    /// <summary>Zero = accept again at once.</summary>
    public TimeSpan After(SocketError error)
    {
        listener.AcceptErrors.Add(error);

        // ECONNABORTED and friends: accept(2) says to treat network errors of the new connection like EAGAIN.
        if (error is not (SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable or SocketError.SystemNotReady or SocketError.SocketError))
        {
            return TimeSpan.Zero;
        }

        return Pause(error.ToString());
    }

    /// <summary>The process's own reserve of file descriptors is reached.</summary>
    public TimeSpan AfterReserve()
    {
        listener.AcceptErrors.AddReserve();
        return Pause("the reserve of file descriptors is reached");
    }

    private TimeSpan Pause(string why)
    {
        var pause = _next;
        _next = TimeSpan.FromTicks(Math.Min(_next.Ticks * 2, Longest.Ticks));
        var now = time.GetTimestamp();
        if (_warned == 0 || time.GetElapsedTime(_warned, now) >= WarnEvery)
        {
            LogPaused(logger, listener.Id, why, (int)pause.TotalMilliseconds, _suppressed);
            _warned = now;
            _suppressed = 0;
        }
        else
        {
            _suppressed++;
        }

        return pause;
    }

    [LoggerMessage(Diagnostics.EventIds.AcceptPaused, LogLevel.Warning, "Listener {Listener} pauses accepting for {Milliseconds} ms: {Reason} ({Suppressed} pauses not logged)")]
    private static partial void LogPaused(ILogger logger, string listener, string reason, int milliseconds, int suppressed);
}
