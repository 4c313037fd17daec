namespace KestrelStream.Model;

/// <summary>One session's place in a <see cref="SessionQueue"/>. Made by the queue; its session waits for <see cref="Turn"/>, others may make it leave.</summary>
internal sealed class QueuedSession(SessionQueue queue, in DialAttempts attempts, TimeSpan timeout)
{
    // Sessions go on elsewhere: whoever gives a slot back has work of its own.
    private readonly TaskCompletionSource<DestinationState?> _turn = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What the session has tried, the destination that it got included. Under the queue's lock until the turn has come.</summary>
    public DialAttempts Attempts = attempts;

    /// <summary>Longest wait.</summary>
    public TimeSpan Timeout { get; } = timeout;

    /// <summary>The destination, with a slot taken; null = it left, or nobody is left that could become free.</summary>
    public Task<DestinationState?> Turn => _turn.Task;

    /// <summary>Its session has ended. Does nothing when its turn has come. From any thread.</summary>
    public void Leave() => queue.Leave(this);

    /// <summary>By the queue, once it is out of it.</summary>
    public void Complete(DestinationState? destination) => _turn.SetResult(destination);

    /// <summary>By the queue: choosing for it has failed.</summary>
    public void Fail(Exception exception) => _turn.SetException(exception);
}
