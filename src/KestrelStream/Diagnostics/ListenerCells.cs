using System.Collections.Concurrent;
using KestrelStream.Preread;

namespace KestrelStream.Diagnostics;

/// <summary>What is counted of one listener id, over all generations. Thread-safe.</summary>
internal sealed class ListenerCells
{
    private static readonly string[] HandshakeResults = ["ok", "failed", "timeout", "client_certificate", "unknown_name"];

    private readonly ConcurrentDictionary<(string Route, string Cluster), RouteCells> _routes = new();
    private readonly long[] _handshakes = new long[HandshakeResults.Length];
    private readonly long[] _echHellos = new long[(int)EncryptedHello.Inner + 1];
    private long _active;
    private long _endedBytesIn;
    private long _endedBytesOut;

    public ListenerCells(string id)
    {
        Id = id;
        NoRoute = new RouteCells(this, "", "", new HistogramCells(HistogramBounds.Dial));
    }

    /// <summary>Label values of a handshake's result.</summary>
    public static IReadOnlyList<string> HandshakeResultNames => HandshakeResults;

    public string Id { get; }

    /// <summary>Sessions that ended before a route was known.</summary>
    public RouteCells NoRoute { get; }

    public IEnumerable<RouteCells> Routes => _routes.Values.Prepend(NoRoute);

    public long Active => Volatile.Read(ref _active);

    /// <summary>Sessions that have ended.</summary>
    public long Ended => Routes.Sum(route => route.Ended());

    /// <summary>Of ended sessions. Written after the session has left the readers' sight, so that no reader sees its bytes twice.</summary>
    public long EndedBytesIn => Volatile.Read(ref _endedBytesIn);

    /// <summary>As <see cref="EndedBytesIn"/>.</summary>
    public long EndedBytesOut => Volatile.Read(ref _endedBytesOut);

    public long Handshakes(int result) => Volatile.Read(ref _handshakes[result]);

    public void CountStart() => Interlocked.Increment(ref _active);

    public void CountEnd(long bytesIn, long bytesOut)
    {
        if ((bytesIn | bytesOut) != 0)
        {
            Interlocked.Add(ref _endedBytesIn, bytesIn);
            Interlocked.Add(ref _endedBytesOut, bytesOut);
        }

        Interlocked.Decrement(ref _active);
    }

    public void CountHandshake(string result) => Interlocked.Increment(ref _handshakes[Array.IndexOf(HandshakeResults, result)]);

    public long EchHellos(EncryptedHello type) => Volatile.Read(ref _echHellos[(int)type]);

    public void CountEchHello(EncryptedHello type) => Interlocked.Increment(ref _echHellos[(int)type]);

    /// <param name="route">Id.</param>
    /// <param name="cluster">Id; empty = none.</param>
    /// <param name="dials">Gives the cells of a cluster.</param>
    public RouteCells Route(string route, string cluster, Func<string, HistogramCells> dials)
        => _routes.TryGetValue((route, cluster), out var cells)
            ? cells
            : _routes.GetOrAdd((route, cluster), new RouteCells(this, route, cluster, dials(cluster)));
}
