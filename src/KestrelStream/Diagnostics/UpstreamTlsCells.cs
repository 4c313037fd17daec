using KestrelStream.Transport;

namespace KestrelStream.Diagnostics;

/// <summary>What is counted of a cluster's handshakes with its destinations. Thread-safe.</summary>
internal sealed class UpstreamTlsCells
{
    private static readonly string[] Results = ["ok", "resumed", "failed", "timeout", "certificate"];

    private readonly long[] _ended = new long[Results.Length];

    /// <summary>Label values of a handshake's result.</summary>
    public static IReadOnlyList<string> ResultNames => Results;

    /// <summary>Of those that succeeded.</summary>
    public HistogramCells Durations { get; } = new(HistogramBounds.Handshake);

    public long Ended(int result) => Volatile.Read(ref _ended[result]);

    /// <param name="status">How it ended.</param>
    /// <param name="isResumed">An earlier session was gone on with.</param>
    public void Count(ConnectStatus status, bool isResumed)
    {
        var result = status switch
        {
            ConnectStatus.Connected => isResumed ? 1 : 0,
            ConnectStatus.TlsTimedOut => 3,
            ConnectStatus.TlsCertificate => 4,
            _ => 2,
        };
        Interlocked.Increment(ref _ended[result]);
    }
}
