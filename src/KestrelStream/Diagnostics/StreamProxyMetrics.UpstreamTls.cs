using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using KestrelStream.Sessions;
using KestrelStream.Transport;

namespace KestrelStream.Diagnostics;

/// <content>Handshakes with destinations. Clusters that have had none are left out.</content>
internal sealed partial class StreamProxyMetrics
{
    private readonly ConcurrentDictionary<string, UpstreamTlsCells> _upstreamTls = new(StringComparer.Ordinal);

    /// <summary>One that the session's own end has stopped is not counted.</summary>
    public void UpstreamHandshakeEnded(StreamSession session, ConnectStatus status, TimeSpan elapsed)
    {
        if (status == ConnectStatus.Aborted)
        {
            return;
        }

        var cluster = CellsOf(session).Cluster;
        var cells = _upstreamTls.GetOrAdd(cluster, static _ => new UpstreamTlsCells());
        cells.Count(status, session.UpstreamTls?.IsResumed == true);
        if (status == ConnectStatus.Connected)
        {
            cells.Durations.Record(elapsed);
            if (_upstreamHandshakeDuration.Enabled)
            {
                _upstreamHandshakeDuration.Record(elapsed.TotalSeconds, Label("cluster", cluster));
            }
        }
    }

    private IEnumerable<Measurement<long>> ReadUpstreamHandshakes()
        => InOrder(_upstreamTls).SelectMany(cluster => UpstreamTlsCells.ResultNames.Select((result, i) =>
            new Measurement<long>(cluster.Value.Ended(i), Label("cluster", cluster.Key), Label("result", result))));
}
