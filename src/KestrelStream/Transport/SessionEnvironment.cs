using System.Net;
using KestrelStream.Relay;
using KestrelStream.Sessions;

namespace KestrelStream.Transport;

/// <summary>What a session gets from the engine (or loop) that accepted it: how to dial, how to relay, whose clock ends it.</summary>
internal abstract class SessionEnvironment
{
    /// <summary>Deadlines of the sessions of this environment.</summary>
    public abstract SessionClock Clock { get; }

    public abstract IStreamRelay Relay { get; }

    /// <summary>Makes the upstream end of a session and starts to dial. The connection is given at once, so that a deadline can reset it.</summary>
    /// <returns>Null when the process has no descriptor left.</returns>
    public abstract StreamConnection? CreateUpstream(EndPoint endPoint);

    public abstract ValueTask<ConnectStatus> ConnectAsync(StreamConnection upstream, EndPoint endPoint);

    /// <summary>Sets an upstream end aside, right after its dial and on its own thread. Null = it was closed meanwhile. The connection must not be used afterwards.</summary>
    public abstract ParkedConnection? Park(StreamConnection upstream);

    /// <summary>Makes a parked connection of the same engine an upstream end of a session here.</summary>
    public abstract StreamConnection Adopt(ParkedConnection parked);

    /// <summary>Comes back to where sessions of this environment run, after a wait for something else (name resolution, a user's step). Free when there already.</summary>
    public virtual ValueTask ResumeAsync() => ValueTask.CompletedTask;
}
