using System.Diagnostics.CodeAnalysis;
using KestrelStream.Health;
using KestrelStream.LoadBalancing;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Model;

/// <summary>
/// A cluster over the reloads of its id: hands out destinations to sessions and learns from their dials. Thread-safe, except that
/// only one thread applies models.
/// </summary>
/// <remarks>
/// One lock guards turns and failure accounts. It is held for a pass over the members (under 100 ns for 100 of them, where a session
/// costs some 50 µs in all), never while a policy of the user runs, and not at all by a dial that just succeeds.
/// Slots are counted without it.
/// </remarks>
internal sealed partial class ClusterState
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private volatile ClusterSelection _selection;

    public ClusterState(string id, ClusterModel model, TimeProvider time, ILogger logger)
    {
        Id = id;
        _time = time;
        _logger = logger;
        _selection = new ClusterSelection(_gate, model);
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
        if (!attempts.UsesBackups)
        {
            attempts.Follow(selection.Primaries);
            var destination = Pick(selection, selection.Primaries, ref attempts);
            if (destination is not null || selection.Backups.Members.Length == 0)
            {
                return destination;
            }

            attempts.MoveToBackups(selection.Backups);
        }

        attempts.Follow(selection.Backups);
        return Pick(selection, selection.Backups, ref attempts);
    }

    /// <summary>The destination answered (with upstream TLS: the handshake is done).</summary>
    public void DialSucceeded(DestinationState destination, in DialAttempts attempts)
    {
        destination.CountSession();
        if (destination.Failures.Fails == 0)
        {
            return;
        }

        var isBack = false;
        lock (_gate)
        {
            var selection = _selection;
            var wasOut = destination.Failures.IsOut(selection.Model.PassiveHealth);
            if (destination.Failures.RecordSuccess() && wasOut)
            {
                selection.PutBack(destination, attempts);
                isBack = true;
            }
        }

        if (isBack)
        {
            Log.Back(_logger, Id, destination.Id, destination.Address);
        }
    }

    /// <summary>The dial was refused, timed out or failed in another way before the destination answered. Gives the slot back.</summary>
    public void DialFailed(DestinationState destination, ref DialAttempts attempts)
    {
        destination.ReturnSlot();
        destination.CountDialFailure();
        var wentOut = false;
        PassiveHealthModel passive;
        lock (_gate)
        {
            var selection = _selection;
            passive = selection.Model.PassiveHealth;
            if (passive.IsOn)
            {
                var wasOut = destination.Failures.IsOut(passive);
                destination.Failures.RecordFailure(_time.GetTimestamp());
                selection.RecordFailure(destination, attempts);
                wentOut = !wasOut && destination.Failures.IsOut(passive);
            }
        }

        if (wentOut)
        {
            Log.Out(_logger, Id, destination.Id, destination.Address, passive.FailTimeout);
        }
    }

    /// <summary>The session on the destination ended. Gives the slot back.</summary>
    /// <remarks>
    /// nginx clears failures here as well. That adds nothing for the session itself, whose dial has done so, but an old session that
    /// ends while another one makes the trial would put a dead destination back.
    /// </remarks>
    [SuppressMessage("Performance", "CA1822", Justification = "A session gives back to the cluster that it took from.")]
    public void Release(DestinationState destination) => destination.ReturnSlot();

    /// <summary>What active checks have found: a destination that is down gets no new sessions.</summary>
    public void SetUpByChecks(DestinationState destination, bool isUp)
    {
        lock (_gate)
        {
            destination.SetUpByChecks(isUp);
            _selection.FollowChecks(destination);
        }
    }

    /// <summary>A reload. Sessions that are choosing now may still get a destination of the model before.</summary>
    public void Apply(ClusterModel next)
    {
        var before = _selection;
        var selection = new ClusterSelection(_gate, next);
        var primaries = selection.Primaries.FindIn(before.Primaries);
        var backups = selection.Backups.FindIn(before.Backups);
        lock (_gate)
        {
            selection.Primaries.ContinueFrom(before.Primaries, primaries);
            selection.Backups.ContinueFrom(before.Backups, backups);
            selection.TakeOver();
            _selection = selection;
        }
    }

    private DestinationState? Pick(ClusterSelection selection, DestinationGroup group, ref DialAttempts attempts)
    {
        var words = group.WordCount;
        Span<ulong> available = words <= MemberSet.MaxStackWords ? stackalloc ulong[words] : new ulong[words];
        var candidates = new MemberSet(available);
        group.FindAvailable(attempts, _time, candidates);
        var policy = selection.Model.Policy;
        while (!candidates.IsEmpty)
        {
            var member = policy.Pick(new LoadBalancingContext(Id, group, candidates));
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
            return false;
        }

        if (destination.Failures.Fails == 0)
        {
            return true;
        }

        lock (_gate)
        {
            if (destination.Failures.TryClaim(_selection.Model.PassiveHealth, _time.GetTimestamp()))
            {
                return true;
            }
        }

        destination.ReturnSlot();
        return false;
    }
}
