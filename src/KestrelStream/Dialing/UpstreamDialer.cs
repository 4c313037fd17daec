using System.Net;
using System.Runtime.CompilerServices;
using KestrelStream.Configuration;
using KestrelStream.Dialing.Dynamic;
using KestrelStream.Diagnostics;
using KestrelStream.LoadBalancing;
using KestrelStream.Model;
using KestrelStream.ProxyProtocol;
using KestrelStream.Sessions;
using KestrelStream.Tls.Upstream;
using KestrelStream.Transport;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Dialing;

/// <summary>
/// Opens the upstream connection of a session: asks the cluster for a destination, dials its addresses, shakes hands where the cluster has TLS, and goes
/// to the next destination until one answers, all were tried, or the dial budget is spent. One for the process; thread-safe.
/// </summary>
internal sealed partial class UpstreamDialer(
    UpstreamTls upstreamTls,
    EngineMove engineMove,
    DynamicTargets dynamicTargets,
    StreamProxyMetrics metrics,
    TimeProvider time,
    ILogger<UpstreamDialer> logger)
{
    /// <summary>On success the session has its destination and its upstream. On failure it has its end reason; the client is the caller's to close.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> DialAsync(StreamSession session)
    {
        var cluster = session.Route!.Cluster!;
        var model = cluster.Model;
        var config = model.Config;
        if (model.Tls is { OpenSsl: null })
        {
            await engineMove.MoveToSocketsAsync(session);
        }

        var attempts = new DialAttempts { Key = KeyOf(session, cluster) };
        var started = time.GetTimestamp();
        var last = ConnectStatus.Connected;
        var maxAttempts = config.MaxAttempts ?? int.MaxValue;
        if (model.FirstAnswer is not null)
        {
            await WaitForMembersAsync(session, cluster, TimeoutLeft(config, started));
        }

        for (var attempt = 0; attempt < maxAttempts && !session.HasEnded; attempt++)
        {
            if (TimeoutLeft(config, started) <= TimeSpan.Zero)
            {
                // What has eaten it up says more, if it was a handshake.
                last = last is ConnectStatus.TlsFailed or ConnectStatus.TlsTimedOut or ConnectStatus.TlsCertificate ? last : ConnectStatus.TimedOut;
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
            last = await DialDestinationAsync(session, destination, model, started);
            if (last == ConnectStatus.Connected)
            {
                cluster.DialSucceeded(destination, attempts, time.GetElapsedTime(dialled));
                session.Destination = destination;
                session.DialTime = time.GetElapsedTime(started);

                // With TLS it has gone before the handshake.
                session.UpstreamHeader = TlsOf(session, model) is null ? OutgoingHeader.Of(session, config) : default;
                return true;
            }

            if (last is ConnectStatus.Aborted or ConnectStatus.OutOfResources || destination.Address.Kind == ProxyAddressKind.Dynamic)
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
            ConnectStatus.TlsFailed or ConnectStatus.TlsTimedOut or ConnectStatus.TlsCertificate => SessionEndReason.UpstreamTlsFailed,
            ConnectStatus.NotAllowed => SessionEndReason.AccessDenied,
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
    private async ValueTask<ConnectStatus> DialDestinationAsync(StreamSession session, DestinationState destination, ClusterModel model, long started)
    {
        if (destination.Warm is not null && await TakeWarmAsync(session, destination, model, started) is { } taken)
        {
            return taken;
        }

        var status = ConnectStatus.Failed;
        var endPoints = destination.EndPoints;
        if (destination.Address.Kind == ProxyAddressKind.Dynamic)
        {
            (endPoints, status) = await dynamicTargets.FindAsync(session, destination, TimeoutLeft(model.Config, started));
            if (status != ConnectStatus.Connected)
            {
                return Record(session, new DialAttempt(destination.Id, null, status, time.GetElapsedTime(started)), destination.ConfiguredId);
            }
        }

        foreach (var endPoint in endPoints)
        {
            var timeout = TimeoutLeft(model.Config, started);
            if (timeout <= TimeSpan.Zero)
            {
                return ConnectStatus.TimedOut;
            }

            status = await DialOneAsync(session, destination, endPoint, model, started, timeout);
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
    private async ValueTask<ConnectStatus> DialOneAsync(
        StreamSession session, DestinationState destination, EndPoint endPoint, ClusterModel model, long begun, TimeSpan timeout)
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

        string? problem = null;
        if (status == ConnectStatus.Connected && TlsOf(session, model) is not null)
        {
            (status, problem) = await SecureAsync(session, destination, endPoint, model, begun);
        }

        if (status != ConnectStatus.Connected)
        {
            GiveUp(session, status);
        }

        return Record(session, new DialAttempt(destination.Id, endPoint, status, time.GetElapsedTime(started)) { Detail = problem }, destination.ConfiguredId);
    }

    /// <summary>A connection that was made ahead; null = there is none. Not while the destination has failures: a dial says more of it then.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ConnectStatus?> TakeWarmAsync(StreamSession session, DestinationState destination, ClusterModel model, long begun)
    {
        if (destination.Warm is not { } pool || destination.Failures.Fails != 0 || pool.TryTake() is not { } connection)
        {
            return null;
        }

        var started = time.GetTimestamp();
        var endPoint = connection.RemoteEndPoint;
        session.Upstream = session.Environment.Adopt(connection);

        // It may have ended before it knew of its upstream.
        var status = session.HasEnded ? ConnectStatus.Aborted : ConnectStatus.Connected;
        string? problem = null;
        if (status == ConnectStatus.Connected && TlsOf(session, model) is not null)
        {
            (status, problem) = await SecureAsync(session, destination, endPoint, model, begun);
        }

        if (status != ConnectStatus.Connected)
        {
            GiveUp(session, status);
            if (status == ConnectStatus.TlsFailed)
            {
                // The destination may have closed it since it was looked at: a dial says more.
                return null;
            }
        }

        var elapsed = model.Tls is null ? TimeSpan.Zero : time.GetElapsedTime(started);
        return Record(session, new DialAttempt(destination.Id, endPoint, status, elapsed) { Detail = problem }, destination.ConfiguredId);
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
            LogDialFailed(logger, session.IdText, session.Route!.Cluster!.Id, attempt.Destination, attempt.Address, attempt.Result, attempt.Elapsed.TotalMilliseconds, attempt.Detail is { } detail ? $": {detail}" : "");
        }

        return attempt.Result;
    }

    [LoggerMessage(EventIds.DialFailed, LogLevel.Debug, "Session {Session}: dial of {Cluster}/{Destination} at {Address} failed: {Result} after {Milliseconds:F1} ms{Detail}")]
    private static partial void LogDialFailed(ILogger logger, string session, string cluster, string destination, EndPoint? address, ConnectStatus result, double milliseconds, string detail);
}
