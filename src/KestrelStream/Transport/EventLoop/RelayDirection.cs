using KestrelStream.Limits;

namespace KestrelStream.Transport.EventLoop;

/// <summary>One way of a relay: who sends, who receives, and what is under way. Owned by its <see cref="SessionPump"/>; on the loop's thread only.</summary>
internal struct RelayDirection
{
    public LoopConnection From;
    public LoopConnection To;

    /// <summary>As it is to be sent, and not yet taken by the receiver's kernel.</summary>
    public HeldBytes Held;

    /// <summary>Null = as fast as it goes. Counts payload.</summary>
    public Throttle? Throttle;

    public bool IsUpload;

    /// <summary>The session counts a send under way.</summary>
    public bool IsHolding;

    /// <summary>Nothing will be received this way any more.</summary>
    public bool IsOver;

    /// <summary>The sender is known to be dead from sending to it.</summary>
    public bool IsFromDead;

    /// <summary>Receives in a row that filled the buffer, as far as that is asked.</summary>
    public byte FullReceives;

    /// <summary>Of a bulk transfer.</summary>
    public SplicePipe? Pipe;

    /// <summary>Bytes that the receiver's kernel has not taken.</summary>
    public readonly int WaitingCount => Held.Count + PipedCount;

    public readonly int PipedCount => Pipe?.Count ?? 0;
}
