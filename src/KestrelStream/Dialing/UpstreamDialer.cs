using System.Net;
using System.Runtime.CompilerServices;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.LoadBalancing;
using KestrelStream.Model;
using KestrelStream.ProxyProtocol;
using KestrelStream.Sessions;
using KestrelStream.Transport;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Dialing;

/// <summary>
/// Opens the upstream connection of a session: asks the cluster for a destination, dials its addresses, and goes to the next destination
/// until one answers, all were tried, or the dial budget is spent. One for the process; thread-safe.
/// </summary>
internal sealed partial class UpstreamDialer(
    StreamProxyMetrics metrics,
    TimeProvider time,
    ILogger<UpstreamDialer> logger)
{
    /// <summary>On success the session has its destination and its upstream. On failure it has its end reason; the client is the caller's to close.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> DialAsync(StreamSession session)
    {
        var cluster = session.Route!.Cluster!;
        var config = cluster.Model.Config;
        var attempts = new DialAttempts { Key = KeyOf(session, cluster) };
        var started = time.GetTimestamp();
        var last = ConnectStatus.Connected;
        var maxAttempts = config.MaxAttempts ?? int.MaxValue;
        if (cluster.Model.FirstAnswer is not null)
        {
            await WaitForMembersAsync(session, cluster, TimeoutLeft(config, started));
        }

        for (var attempt = 0; attempt < maxAttempts && !session.HasEnded; attempt++)
        {
            if (TimeoutLeft(config, started) <= TimeSpan.Zero)
            {
                last = ConnectStatus.TimedOut;
                break;
            }

            var untried = attempts;
            var destination = attempt == 0 && cluster.IsQueueing ? null : cluster.Next(ref attempts);
            if (destination is null && cluster.TryQueue(untried, out var isFull) is var place)
            {
                if (isFull)
                {
                    session.TryEnd(SessionEndReason.QueueFull);
                }

                if (place is null)
                {
                    break;
                }

                // The wait is no dial: it has a clock of its own.
                var queued = time.GetTimestamp();
                destination = await WaitInQueueAsync(session, place, queued);
                attempts = place.Attempts;
                started += time.GetTimestamp() - queued;
                if (destination is null)
                {
                    break;
                }
            }

            var dialled = time.GetTimestamp();
            last = await DialDestinationAsync(session, destination, config, started);
            if (last == ConnectStatus.Connected)
            {
                cluster.DialSucceeded(destination, attempts, time.GetElapsedTime(dialled));
                session.Destination = destination;
                session.DialTime = time.GetElapsedTime(started);
                session.UpstreamHeader = OutgoingHeader.Of(session, config);
                return true;
            }

            if (last is ConnectStatus.Aborted or ConnectStatus.OutOfResources)
            {
                // Not the destination's fault: it keeps its good name.
                cluster.Release(destination);
                break;
            }

            cluster.DialFailed(destination, ref attempts);
        }

        if (last == ConnectStatus.Connected && !session.HasEnded)
        {
            RecordUnresolved(session, cluster, time.GetElapsedTime(started));
        }

        session.DialTime = time.GetElapsedTime(started);
        session.TryEnd(last switch
        {
            ConnectStatus.Connected => SessionEndReason.NoDestination,
            ConnectStatus.TimedOut => SessionEndReason.ConnectTimeout,
            ConnectStatus.OutOfResources => SessionEndReason.LimitExceeded,
            _ => SessionEndReason.ConnectRefused,
        });
        return false;
    }

    /// <summary>Null = the session has ended meanwhile, or nobody is left that could take it.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<DestinationState?> WaitInQueueAsync(StreamSession session, QueuedSession place, long queued)
    {
        session.EnterQueue(place);
        var destination = await place.Turn;
        await session.Environment.ResumeAsync();
        session.LeaveQueue();
        var waited = time.GetElapsedTime(queued);
        session.QueueTime += waited;
        metrics.QueueLeft(session, waited);
        return destination;
    }

    /// <summary>Only in the first moments of a cluster, before the first answer to its names; an answer of "nothing" ends the wait too.</summary>
    private async ValueTask WaitForMembersAsync(StreamSession session, ClusterState cluster, TimeSpan timeout)
    {
        using var late = new CancellationTokenSource(timeout, time);
        try
        {
            while (cluster.Model.FirstAnswer is { } answer && !session.HasEnded)
            {
                await answer.WaitAsync(late.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Then without.
        }

        await session.Environment.ResumeAsync();
    }

    /// <summary>Nobody was there to be dialled: says which names are to blame.</summary>
    private void RecordUnresolved(StreamSession session, ClusterState cluster, TimeSpan waited)
    {
        foreach (var source in cluster.Model.Sources)
        {
            if (source.State is not { Addresses.IsEmpty: false })
            {
                Record(session, new DialAttempt(source.Id, null, ConnectStatus.NotResolved, waited), source.Id);
            }
        }
    }

    /// <summary>
    /// Every address of a destination until one answers; localhost has two. Each is a dial of its own and has the whole ConnectTimeout,
    /// as long as the session's budget lasts.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ConnectStatus> DialDestinationAsync(StreamSession session, DestinationState destination, ClusterConfig config, long started)
    {
        if (TakeWarm(session, destination) is { } taken)
        {
            return taken;
        }

        var status = ConnectStatus.Failed;
        foreach (var endPoint in destination.EndPoints)
        {
            var timeout = TimeoutLeft(config, started);
            if (timeout <= TimeSpan.Zero)
            {
                return ConnectStatus.TimedOut;
            }

            status = await DialOneAsync(session, destination, endPoint, timeout);
            if (status is ConnectStatus.Connected or ConnectStatus.Aborted or ConnectStatus.OutOfResources)
            {
                break;
            }
        }

        return status;
    }

    /// <summary>The client is the one that the session stands for, not whoever carries it.</summary>
    private static ulong KeyOf(StreamSession session, ClusterState cluster)
        => cluster.Model.HashKey is { } key ? KeyHash.Of(key, session.ClientEndPoint, session.ServerName) : 0;

    private TimeSpan TimeoutLeft(ClusterConfig config, long started)
    {
        var left = config.DialBudget - time.GetElapsedTime(started);
        return config.ConnectTimeout < left ? config.ConnectTimeout : left;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ConnectStatus> DialOneAsync(StreamSession session, DestinationState destination, EndPoint endPoint, TimeSpan timeout)
    {
        if (session.Environment.CreateUpstream(endPoint) is not { } upstream)
        {
            return Record(session, new DialAttempt(destination.Id, endPoint, ConnectStatus.OutOfResources, TimeSpan.Zero), destination.ConfiguredId);
        }

        // Known to the session before the dial, so that its clock or a drain can give the dial up.
        session.Upstream = upstream;
        session.Enter(SessionPhase.Dial, timeout);
        var started = time.GetTimestamp();
        var status = session.HasEnded ? ConnectStatus.Aborted : await session.Environment.ConnectAsync(upstream, endPoint);
        if (status == ConnectStatus.Connected && session.HasEnded)
        {
            status = ConnectStatus.Aborted;
        }
        else if (status == ConnectStatus.Aborted && session.DialTimedOut && !session.HasEnded)
        {
            status = ConnectStatus.TimedOut;
        }

        if (status != ConnectStatus.Connected)
        {
            upstream.Reset();
            session.Upstream = null;
        }

        return Record(session, new DialAttempt(destination.Id, endPoint, status, time.GetElapsedTime(started)), destination.ConfiguredId);
    }

    /// <summary>A connection that was made ahead; null = there is none. Not while the destination has failures: a dial says more of it then.</summary>
    private ConnectStatus? TakeWarm(StreamSession session, DestinationState destination)
    {
        if (destination.Warm is not { } pool || destination.Failures.Fails != 0 || pool.TryTake() is not { } connection)
        {
            return null;
        }

        var upstream = session.Environment.Adopt(connection);
        session.Upstream = upstream;
        var status = ConnectStatus.Connected;
        if (session.HasEnded)
        {
            // It may have ended before it knew of its upstream.
            upstream.Reset();
            session.Upstream = null;
            status = ConnectStatus.Aborted;
        }

        return Record(session, new DialAttempt(destination.Id, upstream.RemoteEndPoint, status, TimeSpan.Zero), destination.ConfiguredId);
    }

    private ConnectStatus Record(StreamSession session, DialAttempt attempt, string configuredId)
    {
        metrics.DialEnded(session, attempt, configuredId);
        if (attempt.Result == ConnectStatus.Connected && session.Attempts is null)
        {
            // The usual case: one dial that worked. Destination and dial time say it all.
            return attempt.Result;
        }

        (session.Attempts ??= []).Add(attempt);
        if (attempt.Result is not (ConnectStatus.Connected or ConnectStatus.Aborted))
        {
            LogDialFailed(logger, session.IdText, session.Route!.Cluster!.Id, attempt.Destination, attempt.Address, attempt.Result, attempt.Elapsed.TotalMilliseconds);
        }

        return attempt.Result;
    }

    [LoggerMessage(EventIds.DialFailed, LogLevel.Debug, "Session {Session}: dial of {Cluster}/{Destination} at {Address} failed: {Result} after {Milliseconds:F1} ms")]
    private static partial void LogDialFailed(ILogger logger, string session, string cluster, string destination, EndPoint? address, ConnectStatus result, double milliseconds);
}
