using KestrelStream.Diagnostics;
using KestrelStream.Management;
using KestrelStream.Model;

namespace KestrelStream.Admin.Live;

/// <summary>
/// Makes a frame a second while somebody looks, one for all who do, and nothing while nobody does. Who is slow misses frames and gets the next one
/// whole, so nothing is queued for anybody. Thread-safe.
/// </summary>
internal sealed class LiveFeed : IDisposable
{
    /// <summary>Pages that may look at once.</summary>
    public const int MaxWatchers = 16;

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly TrafficReader _reader;
    private readonly IProxyState _state;
    private readonly RefusedSessions _refused;
    private readonly ConfigHistory _changes;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private int _watchers;
    private long _number;
    private LiveFrame? _current;
    private TaskCompletionSource<LiveFrame> _next = Create();

    public LiveFeed(TrafficReader reader, IProxyState state, RefusedSessions refused, ConfigHistory changes, TimeProvider time)
    {
        (_reader, _state, _refused, _changes, _time) = (reader, state, refused, changes, time);
        _timer = time.CreateTimer(static feed => ((LiveFeed)feed!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>False = too many look already. Who gets true owes a <see cref="Leave"/>.</summary>
    public bool TryEnter()
    {
        lock (_gate)
        {
            if (_watchers == MaxWatchers)
            {
                return false;
            }

            if (_watchers++ == 0)
            {
                _timer.Change(Every, Every);
            }

            return true;
        }
    }

    public void Leave()
    {
        lock (_gate)
        {
            if (--_watchers == 0)
            {
                _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                _current = null;
            }
        }
    }

    /// <summary>The latest frame, when that is not one that the caller has; otherwise the next one.</summary>
    /// <param name="after">Number of the frame that the caller has; 0 = none.</param>
    public Task<LiveFrame> NextAsync(long after)
    {
        lock (_gate)
        {
            _current ??= Make(null);
            return _current.Number > after ? Task.FromResult(_current) : _next.Task;
        }
    }

    /// <summary>A frame for one who does not stay.</summary>
    public LiveFrame Now()
    {
        lock (_gate)
        {
            return Make(_current);
        }
    }

    public void Dispose() => _timer.Dispose();

    private static TaskCompletionSource<LiveFrame> Create() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Tick()
    {
        TaskCompletionSource<LiveFrame> waiting;
        LiveFrame frame;
        lock (_gate)
        {
            if (_watchers == 0)
            {
                return;
            }

            _current = frame = Make(_current);
            (waiting, _next) = (_next, Create());
        }

        waiting.SetResult(frame);
    }

    private LiveFrame Make(LiveFrame? before)
    {
        var reading = _reader.Read();
        var number = ++_number;
        var model = before is not null && LiveModel.AreSame(before.Reading, reading) ? before.Model : number;
        return new LiveFrame(number, model, reading, before, new LiveFacts(_time.GetUtcNow(), _state.IsDraining, _refused.Count, _changes.Count));
    }
}
