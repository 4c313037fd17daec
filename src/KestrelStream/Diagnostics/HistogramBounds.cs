using System.Globalization;
using System.Text;

namespace KestrelStream.Diagnostics;

/// <summary>Upper bounds of a histogram's buckets. Immutable, shared by all cells of a metric.</summary>
internal sealed class HistogramBounds
{
    /// <summary>From a refused client to a connection that is kept for a day.</summary>
    public static readonly HistogramBounds Session = new(
        0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 14400, 86400);

    /// <summary>Few, as there is a set of them for every cluster: a thousand clusters stay near a megabyte of text.</summary>
    public static readonly HistogramBounds Dial = new(
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10);

    /// <summary>Below a millisecond for resumed ones on the same machine, up to the default HandshakeTimeout.</summary>
    public static readonly HistogramBounds Handshake = new(
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60);

    private readonly long[] _ticks;

    private HistogramBounds(params double[] seconds)
    {
        Seconds = seconds;
        Utf8Text = [.. seconds.Select(bound => Encoding.ASCII.GetBytes(bound.ToString(CultureInfo.InvariantCulture))), "+Inf"u8.ToArray()];
        _ticks = [.. seconds.Select(bound => TimeSpan.FromSeconds(bound).Ticks)];
    }

    /// <summary>Ascending; one more bucket takes what is above the last.</summary>
    public IReadOnlyList<double> Seconds { get; }

    /// <summary>The same as text, and the infinite one behind them.</summary>
    public IReadOnlyList<byte[]> Utf8Text { get; }

    public int BucketOf(TimeSpan value)
    {
        var bucket = 0;
        while (bucket < _ticks.Length && value.Ticks > _ticks[bucket])
        {
            bucket++;
        }

        return bucket;
    }
}
