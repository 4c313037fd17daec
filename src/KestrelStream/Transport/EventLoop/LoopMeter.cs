using System.Diagnostics;
using System.Globalization;

namespace KestrelStream.Transport.EventLoop;

/// <summary>
/// Finds out how busy a loop is without costing its sessions anything: the kernel counts its thread's time, and how long work waits shows by posting some
/// at each reading. Thread-safe.
/// </summary>
internal sealed class LoopMeter(EventLoop loop, int index)
{
    private volatile string? _schedule;
    private long _posted;
    private long _lag = -1;

    /// <summary>On the loop's thread, once.</summary>
    public void Attach()
    {
        // "1234/task/1240"
        if (OperatingSystem.IsLinux() && new FileInfo("/proc/thread-self").LinkTarget is { } thread)
        {
            _schedule = $"/proc/{thread}/schedstat";
        }
    }

    /// <summary>Never waits for the loop: the lag is that of the reading before, or how long its work is waiting already.</summary>
    public LoopReading Read()
    {
        var now = Stopwatch.GetTimestamp();
        var posted = Interlocked.CompareExchange(ref _posted, now, 0);
        if (posted == 0)
        {
            loop.Post(static state => ((LoopMeter)state!).Arrived(), this);
        }

        var lag = Volatile.Read(ref _lag);
        var waiting = posted == 0 ? 0 : now - posted;
        return new LoopReading(index, ReadBusy(), lag < 0 && posted == 0 ? null : Stopwatch.GetElapsedTime(0, Math.Max(lag, waiting)));
    }

    private void Arrived()
    {
        Volatile.Write(ref _lag, Stopwatch.GetTimestamp() - Volatile.Read(ref _posted));
        Volatile.Write(ref _posted, 0);
    }

    /// <summary>"412345678 5678901 321": nanoseconds on a processor, nanoseconds waiting for one, times.</summary>
    private TimeSpan? ReadBusy()
    {
        try
        {
            return _schedule is { } path && long.TryParse(File.ReadAllText(path).Split(' ')[0], CultureInfo.InvariantCulture, out var nanoseconds)
                ? TimeSpan.FromMicroseconds(nanoseconds / 1000.0)
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The loop has ended, or the kernel keeps no such statistics.
            return null;
        }
    }
}
