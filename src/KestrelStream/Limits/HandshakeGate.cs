using KestrelStream.Sessions;

namespace KestrelStream.Limits;

/// <summary>Lets so many handshakes run at once; the others wait in the order of their coming. One for the process; thread-safe.</summary>
internal sealed class HandshakeGate
{
    private readonly Queue<TaskCompletionSource<bool>> _waiting = new();
    private int _max = int.MaxValue;
    private int _running;

    /// <summary>Null = no limit. A lower one holds for those that come.</summary>
    public int? Max
    {
        set => Volatile.Write(ref _max, value ?? int.MaxValue);
    }

    /// <summary>True = it may run, until <see cref="Leave"/>. False = the session has ended in its wait.</summary>
    public async ValueTask<bool> EnterAsync(StreamSession session)
    {
        var turn = default(TaskCompletionSource<bool>);
        lock (_waiting)
        {
            if (_running < _max && _waiting.Count == 0)
            {
                _running++;
            }
            else
            {
                _waiting.Enqueue(turn = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously));
            }
        }

        if (turn is null)
        {
            return true;
        }

        var hasTurn = await session.WaitAsync(turn, SessionPhase.Handshake, session.ListenerModel.Config.HandshakeTimeout);
        await session.Environment.ResumeAsync();
        if (hasTurn && session.HasEnded)
        {
            Leave();
        }

        return hasTurn && !session.HasEnded;
    }

    public void Leave()
    {
        lock (_waiting)
        {
            _running--;
            while (_running < _max && _waiting.TryDequeue(out var turn))
            {
                // False = its session has ended meanwhile.
                if (turn.TrySetResult(true))
                {
                    _running++;
                }
            }
        }
    }
}
