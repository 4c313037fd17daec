using KestrelStream.Sessions;

namespace KestrelStream.Admin.Live;

/// <summary>Bytes that something has carried since start, as a reading adds them up: of ended sessions, then of those that run.</summary>
internal abstract class TrafficBytes
{
    /// <summary>From clients.</summary>
    public long BytesIn { get; private set; }

    /// <summary>To clients.</summary>
    public long BytesOut { get; private set; }

    public virtual void AddRunning(StreamSession session)
        => AddBytes(Volatile.Read(ref session.BytesIn), Volatile.Read(ref session.BytesOut));

    /// <summary>What was missed must not show as a step back.</summary>
    public void KeepAbove(TrafficBytes before)
    {
        BytesIn = Math.Max(BytesIn, before.BytesIn);
        BytesOut = Math.Max(BytesOut, before.BytesOut);
    }

    protected void AddBytes(long bytesIn, long bytesOut)
    {
        BytesIn += bytesIn;
        BytesOut += bytesOut;
    }
}
