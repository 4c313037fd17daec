using KestrelStream.Configuration;
using KestrelStream.Health;
using KestrelStream.LoadBalancing;
using KestrelStream.Sessions;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Model;

/// <summary>
/// A cluster over the reloads of its id: hands out destinations to sessions and learns from their dials. Thread-safe.
/// </summary>
/// <remarks>
/// One lock guards turns and failure accounts. It is held for a pass over the members (under 100 ns for 100 of them, where a session
/// costs some 50 µs in all), never while a policy of the user runs, and not at all by a dial that just succeeds.
/// Slots are counted without it.
/// </remarks>
internal sealed partial class ClusterState
{
    /// <summary>A dial time older than this says less and less.</summary>
    private static readonly TimeSpan LatencyAge = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SessionTable? _sessions;
    private volatile ClusterSelection _selection;

    /// <param name="id">Key in the configuration.</param>
    /// <param name="model">The first one.</param>
    /// <param name="time">Its clock.</param>
    /// <param name="logger">Hears who is out and back.</param>
    /// <param name="sessions">Where sessions are found that run on a destination; null = nowhere.</param>
    public ClusterState(string id, ClusterModel model, TimeProvider time, ILogger logger, SessionTable? sessions = null)
    {
        Id = id;
        _sessions = sessions;
        _time = time;
        _logger = logger;
        _selection = new ClusterSelection(_gate, model, time);
        _selection.TakeOver();
    }

    public string Id { get; }

    /// <summary>As of the last reload.</summary>
    public ClusterModel Model => _selection.Model;

    /// <summary>Picks the next destination for a session and takes a slot on it. Null = none is left for this session.</summary>
    /// <remarks>
    /// The caller owes exactly one <see cref="DialFailed"/> or <see cref="Release"/> for each destination it gets, and
    /// <see cref="DialSucceeded"/> between when the dial succeeds. A dial that is given up (the client went away) is released only:
    /// it says nothing about the destination.
    /// </remarks>
    public DestinationState? Next(ref DialAttempts attempts)
    {
        var selection = _selection;
        while (true)
        {
            var group = selection.TierOf(attempts);
            attempts.Follow(group);
            if (Pick(selection, group, ref attempts) is { } destination)
            {
                return destination;
            }

            var next = attempts.Tier + 1;
            if (next >= selection.Tiers.Length)
            {
                return null;
            }

            attempts.MoveTo(next, selection.Tiers[next]);
        }
    }

    /// <summary>The destination answered (with upstream TLS: the handshake is done).</summary>
    public void DialSucceeded(DestinationState destination, in DialAttempts attempts, TimeSpan dialTime = default)
    {
        destination.CountSession();
        if (_selection is { Model.MeasuresLatency: true } measuring)
        {
            var now = _time.GetTimestamp();
            var oldest = now - (long)(LatencyAge.TotalSeconds * _time.TimestampFrequency);
            destination.DialLatency.Add(dialTime, now, oldest);
            foreach (var tier in measuring.Tiers)
            {
                tier.AgeLatencies(now, oldest);
            }
        }

        if (destination.Failures.Fails == 0)
        {
            return;
        }

        var isBack = false;
        lock (_gate)
        {
            var selection = _selection;
            var wasOut = destination.IsOut;
            var now = _time.GetTimestamp();
            if (destination.Failures.RecordSuccess(now) && wasOut)
            {
                selection.PutBack(destination, attempts, now);
                isBack = true;
            }
        }

        if (isBack)
        {
            Log.Back(_logger, Id, destination.Id, destination.Address);
            ServeQueue();
        }
    }

    /// <summary>The dial was refused, timed out or failed in another way before the destination answered. Gives the slot back.</summary>
    public void DialFailed(DestinationState destination, ref DialAttempts attempts)
    {
        ReturnSlot(destination);
        destination.CountDialFailure();
        RecordFailure(destination, attempts);
        ServeQueue();
    }

    /// <summary>A session that was relayed was reset before the destination had sent a byte. Its slot is given back apart from this.</summary>
    public void SessionFailed(DestinationState destination)
    {
        if (_selection.Model.PassiveHealth.CountsResets)
        {
            RecordFailure(destination, default);
        }
    }

    /// <summary>The session on the destination ended. Gives the slot back.</summary>
    /// <remarks>
    /// nginx clears failures here as well. That adds nothing for the session itself, whose dial has done so, but an old session that
    /// ends while another one makes the trial would put a dead destination back.
    /// </remarks>
    public void Release(DestinationState destination)
    {
        ReturnSlot(destination);
        ServeQueue();
    }

    /// <summary>What active checks have found: a destination that is down gets no new sessions, one that comes up few at first where there is a slow start.</summary>
    public void SetUpByChecks(DestinationState destination, bool isUp)
    {
        lock (_gate)
        {
            if (destination.IsUpByChecks == isUp)
            {
                return;
            }

            destination.SetUpByChecks(isUp);
            _selection.FollowChecks(destination, _time.GetTimestamp());
            if (destination.Control.Health != OperatorHealth.Auto)
            {
                // Nothing has changed: the operator goes first.
                return;
            }
        }

        if (isUp)
        {
            ServeQueue();
        }
        else
        {
            WentDown(destination);
        }
    }

    private void RecordFailure(DestinationState destination, in DialAttempts attempts)
    {
        var wentOut = false;
        var penalty = TimeSpan.Zero;
        lock (_gate)
        {
            var selection = _selection;
            var passive = selection.Model.PassiveHealth;
            if (passive.IsOn)
            {
                var wasOut = destination.IsOut;
                selection.RecordFailure(destination, attempts, _time.GetTimestamp());
                wentOut = !wasOut && destination.IsOut;
                penalty = passive.TimeOf(destination.Failures.Rounds);
            }
        }

        if (wentOut)
        {
            Log.Out(_logger, Id, destination.Id, destination.Address, penalty);
            WentDown(destination);
        }
    }

    /// <summary>A destination was found dead, by whatever means: what is to become of its sessions happens now. Not under the lock.</summary>
    private void WentDown(DestinationState destination)
    {
        // Who waits for nobody else waits in vain.
        ServeQueue();
        if (_sessions is not null && _selection.Model.Config.OnUnhealthy == UnhealthyAction.Close)
        {
            // Apart from the caller, who may be a session on its loop: the table may be long.
            ThreadPool.UnsafeQueueUserWorkItem(
                static down => down.Sessions.AbortOn(down.Destination, SessionEndReason.DestinationDown),
                (Sessions: _sessions, Destination: destination),
                preferLocal: false);
        }
    }

    private DestinationState? Pick(ClusterSelection selection, DestinationGroup group, ref DialAttempts attempts)
    {
        var words = group.WordCount;
        Span<ulong> available = words <= MemberSet.MaxStackWords ? stackalloc ulong[words] : new ulong[words];
        var candidates = new MemberSet(available);
        group.FindAvailable(attempts, candidates);
        var policy = selection.Model.Policy;
        while (!candidates.IsEmpty)
        {
            var member = policy.Pick(new LoadBalancingContext(Id, group, candidates, attempts.Key));
            if (member < 0)
            {
                return null;
            }

            if (member >= group.Members.Length || !candidates.Contains(member))
            {
                throw new InvalidOperationException(
                    $"The load balancing policy '{policy.Name}' chose destination number {member} of cluster '{Id}', which is not available.");
            }

            var destination = group.Members[member];
            var isTaken = TryTake(destination);
            if (destination.IsFull)
            {
                group.MarkFull(member);
            }

            if (isTaken)
            {
                attempts.Mark(member);
                return destination;
            }

            // Another session took the last slot or the trial since we looked.
            candidates.Remove(member);
        }

        return null;
    }

    private bool TryTake(DestinationState destination)
    {
        if (!destination.TryTakeSlot())
        {
            // The slot may have been taken for a moment.
            ReportDrained(destination);
            return false;
        }

        if (destination.Failures.Fails == 0)
        {
            return true;
        }

        lock (_gate)
        {
            var selection = _selection;
            if (destination.Failures.TryClaim(selection.Model.PassiveHealth, _time.GetTimestamp(), destination.IsOut && !selection.Health.IsPanic))
            {
                return true;
            }
        }

        ReturnSlot(destination);
        return false;
    }
}
