using System.Net;
using System.Net.Sockets;
using KestrelStream.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Dialing;

/// <summary>
/// One host name that destinations use: looks it up again and again, one lookup at a time, and gives them the answers. Owned by
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
    /// <summary>A bigger answer is cut: it would only be a way to make us dial for long.</summary>
    public const int MaxAddresses = 64;

    /// <summary>However rarely a name is refreshed, one that does not resolve is tried this often.</summary>
    public static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(10);

    /// <summary>Names that were looked up together drift apart, up to a tenth of the interval earlier or later.</summary>
    private const double Jitter = 0.1;

    private static readonly TimeSpan ShortestRefresh = TimeSpan.FromMilliseconds(100);

    /// <summary>What a timer can hold, less jitter.</summary>
    private static readonly TimeSpan LongestRefresh = TimeSpan.FromDays(40);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly string _host;
    private readonly IDestinationNameResolver _resolver;
    private readonly ILogger _logger;
    private readonly ITimer _timer;

    // All below are guarded by the gate.
    private NameSubscriber[] _subscribers = [];
    private TimeSpan _refresh;
    private IPAddress[] _addresses = [];
    private bool _isLookingUp;

    /// <summary>Why the last lookup failed; null = it did not.</summary>
    private string? _failure;
    private bool _isDisposed;

    public NameWatch(string host, IDestinationNameResolver resolver, TimeProvider time, ILogger logger)
    {
        _host = host;
        _resolver = resolver;
        _logger = logger;
        _timer = time.CreateTimer(static watch => ((NameWatch)watch!).StartLookup(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Says who uses the name now. The first call starts the first lookup; new users get the answer that is known at once.</summary>
    public void Update(NameSubscriber[] subscribers, TimeSpan refresh)
    {
        NameSubscriber[] before;
        NameSubscriber[] added;
        bool isFirst;
        string? failure;
        lock (_gate)
        {
            before = _subscribers;
            isFirst = before.Length == 0;
            failure = _failure;
            _subscribers = subscribers;
            added = [.. subscribers.Except(before)];
            foreach (var subscriber in added)
            {
                if (_addresses.Length > 0)
                {
                    subscriber.Publish(_addresses);
                }
                else if (failure is not null)
                {
                    subscriber.Destination.EndWaiting();
                }
            }

            refresh = TimeSpan.FromTicks(Math.Clamp(refresh.Ticks, ShortestRefresh.Ticks, LongestRefresh.Ticks));
            var isChanged = refresh != _refresh;
            _refresh = refresh;
            if (isChanged && !isFirst && !_isLookingUp)
            {
                Schedule();
            }
        }

        EndWaiting(before.Except(subscribers));
        if (failure is not null)
        {
            Report(added, failure);
        }

        if (isFirst)
        {
            StartLookup();
        }
    }

    public void Dispose()
    {
        NameSubscriber[] subscribers;
        lock (_gate)
        {
            _isDisposed = true;
            subscribers = _subscribers;
        }

        // Outside the lock: a resolver may act on it at once.
        _timer.Dispose();
        _stop.Cancel();
        EndWaiting(subscribers);
    }

    private static void EndWaiting(IEnumerable<NameSubscriber> subscribers)
    {
        foreach (var subscriber in subscribers)
        {
            subscriber.Destination.EndWaiting();
        }
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
        var (addresses, failure) = await ResolveAsync();
        NameSubscriber[] subscribers;
        bool hasTurned;
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            // Published under the lock: who comes later, in Update, sees either this answer or none.
            subscribers = _subscribers;
            if (failure is null)
            {
                _addresses = addresses;
                Array.ForEach(subscribers, subscriber => subscriber.Publish(addresses));
            }
            else
            {
                EndWaiting(subscribers);
            }

            hasTurned = _failure is null != failure is null;
            _failure = failure;
        }

        if (hasTurned)
        {
            Report(subscribers, failure);
        }

        lock (_gate)
        {
            _isLookingUp = false;
            Schedule();
        }
    }

    /// <summary>Never throws. No address is a failure.</summary>
    private async Task<(IPAddress[] Addresses, string? Failure)> ResolveAsync()
    {
        try
        {
            var answer = await _resolver.ResolveAsync(_host, _stop.Token);
            IPAddress[] addresses = [.. answer
                .Where(address => address.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)
                .Distinct()
                .Take(MaxAddresses)];
            return (addresses, addresses.Length == 0 ? "it has no address" : null);
        }
        catch (Exception exception)
        {
            return ([], exception.Message);
        }
    }

    /// <summary>Under the lock. After Dispose the timer no longer changes.</summary>
    private void Schedule()
    {
        var interval = _failure is not null && _refresh > LongestRetry ? LongestRetry : _refresh;
        _timer.Change(interval * (1 - Jitter + (2 * Jitter * Random.Shared.NextDouble())), Timeout.InfiniteTimeSpan);
    }

    private void Report(NameSubscriber[] subscribers, string? failure)
    {
        foreach (var (cluster, destination) in subscribers)
        {
            if (failure is null)
            {
                Log.Resolves(_logger, cluster, destination.Id, _host, destination.EndPoints.Length);
            }
            else
            {
                Log.DoesNotResolve(_logger, cluster, destination.Id, _host, failure, destination.EndPoints.Length);
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
