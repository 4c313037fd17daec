using KestrelStream.Sessions;

namespace KestrelStream.TestKit;

/// <summary>A session of a proxy under test.</summary>
public sealed class ObservedSession
{
    private readonly StreamSession _session;

    internal ObservedSession(StreamSession session, CancellationToken closed)
    {
        _session = session;
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        closed.Register(() => ended.TrySetResult());
        Ended = ended.Task;
    }

    /// <summary>Both connections are closed.</summary>
    public Task Ended { get; }

    public SessionEndReason EndReason => _session.EndReason;

    public long BytesIn => Volatile.Read(ref _session.BytesIn);

    public long BytesOut => Volatile.Read(ref _session.BytesOut);

    public string? Route => _session.Route?.Id;

    public string? ServerName => _session.ServerName;
}
