using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using KestrelStream.Tls.Ocsp;

namespace KestrelStream.Diagnostics;

/// <summary>What is counted of OCSP answers, by certificate of ours or by route. Thread-safe.</summary>
/// <param name="label">Which of the two.</param>
internal sealed class OcspCells(string label)
{
    private static readonly OcspStatus[] s_results = Enum.GetValues<OcspStatus>();

    private readonly ConcurrentDictionary<string, long[]> _counts = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, DateTimeOffset> _ends = new(StringComparer.Ordinal);

    /// <param name="id">Of the certificate or the route.</param>
    /// <param name="result">Of a question, of a look at a file that has changed, or of a client's session.</param>
    public void Count(string id, OcspStatus result)
        => Interlocked.Increment(ref _counts.GetOrAdd(id, static _ => new long[s_results.Length])[(int)result]);

    /// <param name="certificate">Its id.</param>
    /// <param name="end">Of the answer that is stapled; null = there is none, or it has no end.</param>
    public void Expires(string certificate, DateTimeOffset? end)
    {
        if (end is { } time)
        {
            _ends[certificate] = time;
        }
        else
        {
            _ends.TryRemove(certificate, out _);
        }
    }

    public IEnumerable<Measurement<long>> ReadCounts()
        => from counts in _counts.OrderBy(pair => pair.Key, StringComparer.Ordinal)
           from result in s_results
           select new Measurement<long>(
               Volatile.Read(ref counts.Value[(int)result]),
               new KeyValuePair<string, object?>(label, counts.Key),
               new KeyValuePair<string, object?>("result", result.ToString().ToLowerInvariant()));

    public IEnumerable<Measurement<long>> ReadExpiries(DateTimeOffset now)
        => _ends.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair =>
            new Measurement<long>((long)(pair.Value - now).TotalSeconds, new KeyValuePair<string, object?>(label, pair.Key)));
}
