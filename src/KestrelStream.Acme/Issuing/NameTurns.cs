namespace KestrelStream.Acme.Issuing;

/// <summary>
/// Who may prove which names: one order a name at a time, as there is one answer a name, and not too many orders at once. Thread-safe.
/// </summary>
internal sealed class NameTurns
{
    private const int MaxOrders = 4;

    private readonly Lock _gate = new();
    private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase);
    private int _orders;
    private TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Waits for its turn; disposing what comes back ends it.</summary>
    public async Task<IDisposable> EnterAsync(IReadOnlyList<string> names, CancellationToken cancellation)
    {
        while (TryTake(names) is { } somebodyLeaves)
        {
            await somebodyLeaves.WaitAsync(cancellation);
        }

        return new Turn(this, names);
    }

    /// <summary>Null = taken; else what to wait for.</summary>
    private Task? TryTake(IReadOnlyList<string> names)
    {
        lock (_gate)
        {
            if (_orders == MaxOrders || names.Any(_names.Contains))
            {
                return _left.Task;
            }

            _orders++;
            _names.UnionWith(names);
            return null;
        }
    }

    private void Release(IReadOnlyList<string> names)
    {
        TaskCompletionSource left;
        lock (_gate)
        {
            _orders--;
            _names.ExceptWith(names);
            left = _left;
            _left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        left.SetResult();
    }

    private sealed class Turn(NameTurns turns, IReadOnlyList<string> names) : IDisposable
    {
        public void Dispose() => turns.Release(names);
    }
}
