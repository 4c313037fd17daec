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

    /// <summary>Reads them; the cells show them.</summary>
    /// <param name="listeners">Those to report. One that comes meanwhile has to wait for the next reading.</param>
    /// <param name="cellsOf">Finds the cells of a session's listener.</param>
    public void Read(ListenerCells[] listeners, Func<ListenerModel, ListenerCells> cellsOf)
    {
        lock (_gate)
        {
            foreach (var listener in listeners)
            {
                listener.BeginReading();
            }

            foreach (var session in sessions.Snapshot())
            {
                if (session.Phase != SessionPhase.Closed)
                {
                    cellsOf(session.ListenerModel).AddRunning(Volatile.Read(ref session.BytesIn), Volatile.Read(ref session.BytesOut));
                }
            }

            foreach (var listener in listeners)
            {
                listener.EndReading();
            }
        }
    }
}
