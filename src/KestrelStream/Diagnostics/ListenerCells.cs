using System.Collections.Concurrent;
using KestrelStream.Preread;

namespace KestrelStream.Diagnostics;

/// <summary>What is counted of one listener id, over all generations. Thread-safe.</summary>
internal sealed class ListenerCells
{
    private static readonly string[] HandshakeResults = ["ok", "failed", "timeout", "client_certificate", "unknown_name"];

    private readonly ConcurrentDictionary<(string Route, string Cluster), RouteCells> _routes = new();
    private readonly long[] _handshakes = new long[HandshakeResults.Length];
    private readonly long[] _prereads = new long[PrereadResults.Count];
    private readonly long[] _malformedHellos = new long[PrereadResults.ErrorCount];
    private readonly long[] _echHellos = new long[(int)EncryptedHello.Inner + 1];
    private long _started;
    private long _ended;
    private long _endedBytesIn;
    private long _endedBytesOut;
    private long _countedIn;
    private long _countedOut;
    private long _bytesIn;
    private long _bytesOut;

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

    public long Active
    {
        get
        {
            // In this order: none ends before it starts.
            var ended = Ended;
            return Volatile.Read(ref _started) - ended;
        }
    }

    /// <summary>Sessions that have ended.</summary>
    public long Ended => Volatile.Read(ref _ended);

    /// <summary>Of ended sessions. Written after the session has left the readers' sight, so that no reader sees its bytes twice.</summary>
    public long EndedBytesIn => Volatile.Read(ref _endedBytesIn);

    /// <summary>As <see cref="EndedBytesIn"/>.</summary>
    public long EndedBytesOut => Volatile.Read(ref _endedBytesOut);

    /// <summary>From clients, those of sessions that run included, as of the last reading of <see cref="ByteTotals"/>. Never steps back.</summary>
    public long BytesIn => Volatile.Read(ref _bytesIn);

    /// <summary>To clients, as <see cref="BytesIn"/>.</summary>
    public long BytesOut => Volatile.Read(ref _bytesOut);

    public long Handshakes(int result) => Volatile.Read(ref _handshakes[result]);

    public long Prereads(int result) => Volatile.Read(ref _prereads[result]);

    public long MalformedHellos(int error) => Volatile.Read(ref _malformedHellos[error]);

    public void CountPreread(PrereadResult result) => Interlocked.Increment(ref _prereads[(int)result]);

    public void CountMalformedHello(ClientHelloError error) => Interlocked.Increment(ref _malformedHellos[(int)error]);

    public void CountStart() => Interlocked.Increment(ref _started);

    public void CountEnd(long bytesIn, long bytesOut)
    {
        if ((bytesIn | bytesOut) != 0)
        {
            Interlocked.Add(ref _endedBytesIn, bytesIn);
            Interlocked.Add(ref _endedBytesOut, bytesOut);
        }

        Interlocked.Increment(ref _ended);
    }

    /// <summary>A reading begins, under the lock of <see cref="ByteTotals"/> as what follows until its end.</summary>
    public void BeginReading() => (_countedIn, _countedOut) = (EndedBytesIn, EndedBytesOut);

    /// <summary>Of a session that runs.</summary>
    public void AddRunning(long bytesIn, long bytesOut)
    {
        _countedIn += bytesIn;
        _countedOut += bytesOut;
    }

    /// <summary>Shows what was read.</summary>
    public void EndReading()
    {
        Volatile.Write(ref _bytesIn, Math.Max(_bytesIn, _countedIn));
        Volatile.Write(ref _bytesOut, Math.Max(_bytesOut, _countedOut));
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
