using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using KestrelStream.Load.Backend;

namespace KestrelStream.Load.Client;

/// <summary>Downloads that arrive in bursts at a fixed rate, one thread each; they read as fast as they can. Started once, then awaited.</summary>
internal sealed class PacedDownloads(IPEndPoint proxy, LoadErrors errors)
{
    public const int Flows = 4;
    public const int BurstBytes = 1 << 20;

    private const int TimeoutMilliseconds = 10_000;

    /// <summary>A proxy may delay them, but one that takes longer than this does not carry the rate.</summary>
    private const double LongestDelayShare = 0.25;

    private readonly List<Thread> _threads = [];

    /// <summary>Begins downloads that last about as long as told.</summary>
    public void Start(TimeSpan duration)
    {
        long bursts = (long)Math.Ceiling(duration.TotalMilliseconds / Payload.BurstIntervalMilliseconds);
        for (int flow = 0; flow < Flows; flow++)
        {
            // A burst of one flow at a time: together they would measure how the kernel shares out the cores among their threads.
            int delay = flow * Payload.BurstIntervalMilliseconds / Flows;
            var thread = new Thread(() => Run(delay, bursts)) { IsBackground = true, Name = "download" };
            _threads.Add(thread);
            thread.Start();
        }
    }

    public void Wait() => _threads.ForEach(thread => thread.Join());

    private void Run(int delayMilliseconds, long bursts)
    {
        try
        {
            Thread.Sleep(delayMilliseconds);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
            {
                ReceiveTimeout = TimeoutMilliseconds,
            };
            socket.Connect(proxy);
            long begin = Stopwatch.GetTimestamp();
            long amount = bursts * BurstBytes;
            _ = socket.Send(Payload.BulkRequest(amount, BurstBytes));
            if (BulkLoad.Download(socket, amount) is { } fault)
            {
                errors.Add(fault);
            }

            double planned = bursts * Payload.BurstIntervalMilliseconds;
            double took = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
            if (took > planned * (1 + LongestDelayShare))
            {
                errors.Add($"a paced download took {took:0} ms instead of {planned:0}");
            }
        }
        catch (SocketException error)
        {
            errors.Add($"download: {error.SocketErrorCode}");
        }
    }
}
