using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Discovery;

/// <summary>
/// One name that destinations use: looks it up again and again, one lookup at a time, and tells its subscribers. Owned by
/// <see cref="DestinationResolver"/>; thread-safe.
/// </summary>
/// <remarks>
/// <code>
///   Update ──▶ looking up ──answer or failure──▶ waiting (timer) ──due──▶ looking up
///                   └────────────── Dispose ──────────┘
/// </code>
/// </remarks>
internal sealed partial class NameWatch : IDisposable
{
    /// <summary>However rarely a name is refreshed, one that does not resolve is tried this often.</summary>
    public static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(10);

    /// <summary>Until there is something to send sessions to.</summary>
    public static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);

    /// <summary>A time to live of nothing would have us ask all the time.</summary>
    public static readonly TimeSpan ShortestTtl = TimeSpan.FromSeconds(1);

    /// <summary>Names that were looked up together drift apart, up to a tenth of the interval earlier or later.</summary>
    private const double Jitter = 0.1;

    private static readonly TimeSpan ShortestRefresh = TimeSpan.FromMilliseconds(100);

    /// <summary>What a timer can hold, less jitter.</summary>
    private static readonly TimeSpan LongestRefresh = TimeSpan.FromDays(40);

    /// <summary>Of the process: a name may be given up and come back under another watch.</summary>
    private static long s_sequence;

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ProxyAddress _name;
    private readonly NameLookup _lookup;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ITimer _timer;

    // All below are guarded by the gate.
    private INameSubscriber[] _subscribers = [];
    private TimeSpan _refresh;
    private NameState? _state;
    private bool _isLookingUp;
    private bool _isDisposed;

    public NameWatch(ProxyAddress name, NameLookup lookup, TimeProvider time, ILogger logger)
    {
        _name = name;
        _lookup = lookup;
        _time = time;
        _logger = logger;
        _timer = time.CreateTimer(static watch => ((NameWatch)watch!).StartLookup(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Says who uses the name now. The first call starts the first lookup; new users get the answer that is known at once.</summary>
    /// <param name="subscribers">All of them.</param>
    /// <param name="refresh">Longest time from lookup to lookup.</param>
    /// <param name="isOutdated">Others are to be asked from now on: ask at once.</param>
    public void Update(INameSubscriber[] subscribers, TimeSpan refresh, bool isOutdated = false)
    {
        INameSubscriber[] before;
        INameSubscriber[] added;
        bool isFirst;
        bool isGivenUp;
        NameState? state;
        lock (_gate)
        {
            isGivenUp = _isDisposed;
            before = _subscribers;
            isFirst = before.Length == 0;
            state = _state;
            _subscribers = subscribers;
            added = [.. subscribers.Except(before)];
            refresh = TimeSpan.FromTicks(Math.Clamp(refresh.Ticks, ShortestRefresh.Ticks, LongestRefresh.Ticks));
            var isChanged = refresh != _refresh;
            _refresh = refresh;
            if (isChanged && !isFirst && !_isLookingUp)
            {
                Schedule();
            }
        }

        foreach (var subscriber in before.Except(subscribers))
        {
            subscriber.Abandon();
        }

        if (state is not null)
        {
            Array.ForEach(added, subscriber => subscriber.Take(state));
            if (state.Failure is not null)
            {
                Report(added, state);
            }
        }

        if (isGivenUp)
        {
            Array.ForEach(added, subscriber => subscriber.Abandon());
        }
        else if (isFirst || isOutdated)
        {
            StartLookup();
        }
    }

    public void Dispose()
    {
        INameSubscriber[] subscribers;
        lock (_gate)
        {
            _isDisposed = true;
            subscribers = _subscribers;
        }

        // Outside the lock: a resolver may act on it at once.
        _timer.Dispose();
        _stop.Cancel();
        Array.ForEach(subscribers, subscriber => subscriber.Abandon());
    }

    private void StartLookup()
    {
        lock (_gate)
        {
            if (_isDisposed || _isLookingUp)
            {
                return;
            }

            _isLookingUp = true;
        }

        // On the pool: neither a reload nor the timer waits for a resolver that blocks before its first await.
        _ = Task.Run(LookUpAsync);
    }

    private async Task LookUpAsync()
    {
        var answer = await _lookup.RunAsync(_stop.Token);
        INameSubscriber[] subscribers;
        NameState? before;
        NameState state;
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            // Who comes later, in Update, finds this state; who was there gets it below. Whichever is late is ignored for its number.
            subscribers = _subscribers;
            before = _state;
            _state = state = Next(before, answer);
        }

        try
        {
            Array.ForEach(subscribers, subscriber => subscriber.Take(state));
            if (before?.Failure is null != state.Failure is null)
            {
                Report(subscribers, state);
            }
        }
        finally
        {
            // A logging provider of the app that throws does not end the lookups.
            lock (_gate)
            {
                _isLookingUp = false;
                Schedule();
            }
        }
    }

    private NameState Next(NameState? before, in NameAnswer answer)
    {
        var sequence = Interlocked.Increment(ref s_sequence);
        if (answer.Result != LookupResult.Ok)
        {
            return before is null
                ? new NameState(sequence, answer.Result, [], null, null, answer.Failure)
                : before with { Sequence = sequence, Result = answer.Result, Failure = answer.Failure };
        }

        // The same array says that nothing has changed.
        var addresses = before is not null && before.Addresses.AsSpan().SequenceEqual(answer.Addresses.AsSpan()) ? before.Addresses : answer.Addresses;
        return new NameState(sequence, answer.Result, addresses, _time.GetUtcNow(), answer.Ttl, null);
    }

    /// <summary>Under the lock. After Dispose the timer no longer changes.</summary>
    private void Schedule()
    {
        if (_state is not { } state)
        {
            return;
        }

        var retry = state.ResolvedAt is null ? FirstRetry : LongestRetry;
        var interval = state.Failure is not null && retry < _refresh ? retry : _refresh;
        var lowest = 1 - Jitter;
        if (state.Failure is null && state.Ttl is { } ttl && ttl < interval)
        {
            // Not before its time: a caching server would only give the old answer once more.
            interval = ttl < ShortestTtl ? ShortestTtl : ttl;
            lowest = 1;
        }

        _timer.Change(interval * (lowest + ((1 + Jitter - lowest) * Random.Shared.NextDouble())), Timeout.InfiniteTimeSpan);
    }

    private void Report(INameSubscriber[] subscribers, NameState state)
    {
        foreach (var subscriber in subscribers)
        {
            if (state.Failure is null)
            {
                Log.Resolves(_logger, subscriber.ClusterId, subscriber.DestinationId, _name.Host, state.Addresses.Length);
            }
            else
            {
                Log.DoesNotResolve(_logger, subscriber.ClusterId, subscriber.DestinationId, _name.Host, state.Failure, state.Addresses.Length);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.NameDoesNotResolve, LogLevel.Warning, "Cluster '{Cluster}': the name '{Host}' of destination '{Destination}' does not resolve: {Failure}. Addresses in use from the last answer: {Known}. Trying on.")]
        public static partial void DoesNotResolve(ILogger logger, string cluster, string destination, string host, string failure, int known);

        [LoggerMessage(EventIds.NameResolves, LogLevel.Information, "Cluster '{Cluster}': the name '{Host}' of destination '{Destination}' resolves again. Addresses: {Addresses}.")]
        public static partial void Resolves(ILogger logger, string cluster, string destination, string host, int addresses);
    }
}
