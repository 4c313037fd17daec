using KestrelStream.Model;
using KestrelStream.Sessions;

namespace KestrelStream.Diagnostics;

/// <summary>Bytes of each listener, those of running sessions included, so that a long transfer shows while it goes on. Thread-safe.</summary>
/// <remarks>
/// A session counts as running until its phase is Closed, and is added to the ended totals after that. Ended totals are read first: a session
/// that ends meanwhile is missed by this reading and is in the next one, but never counted twice. What a reading missed must not
/// show as a step back, so no total is lower than the one read before.
/// </remarks>
internal sealed class ByteTotals(SessionTable sessions)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ListenerCells, Total> _last = [];

    /// <param name="listeners">Those to report.</param>
    /// <param name="cellsOf">Finds the cells of a session's listener.</param>
    public IReadOnlyDictionary<ListenerCells, Total> Read(IEnumerable<ListenerCells> listeners, Func<ListenerModel, ListenerCells> cellsOf)
    {
        lock (_gate)
        {
            var totals = new Dictionary<ListenerCells, Total>();
            foreach (var listener in listeners)
            {
                totals.Add(listener, new Total(listener.EndedBytesIn, listener.EndedBytesOut));
            }

            foreach (var session in sessions.Snapshot())
            {
                // One that came with a new listener since has to wait for the next reading.
                if (session.Phase != SessionPhase.Closed && totals.TryGetValue(cellsOf(session.ListenerModel), out var total))
                {
                    totals[session.ListenerModel.Cells!] = new Total(
                        total.In + Volatile.Read(ref session.BytesIn), total.Out + Volatile.Read(ref session.BytesOut));
                }
            }

            foreach (var (listener, total) in totals.ToArray())
            {
                var last = _last.GetValueOrDefault(listener);
                totals[listener] = _last[listener] = new Total(Math.Max(last.In, total.In), Math.Max(last.Out, total.Out));
            }

            return totals;
        }
    }

    /// <summary>Payload of one listener.</summary>
    /// <param name="In">From clients.</param>
    /// <param name="Out">To clients.</param>
    public readonly record struct Total(long In, long Out);
}
