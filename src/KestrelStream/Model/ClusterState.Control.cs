using KestrelStream.Configuration;

namespace KestrelStream.Model;

/// <content>What an operator says about destinations. It comes with the models, as everything else does.</content>
internal sealed partial class ClusterState
{
    /// <summary>Destinations that go on and about which an operator says something else in the next model.</summary>
    private static List<ControlChange> FindControlled(ClusterModel next)
    {
        var changes = new List<ControlChange>();
        for (var i = 0; i < next.Destinations.Length; i++)
        {
            var (destination, after) = (next.Destinations[i], next.DestinationConfigs[i].Control);
            if (destination.Control != after)
            {
                changes.Add(new ControlChange(destination, destination.Control, after));
            }
        }

        return changes;
    }

    /// <summary>Under the lock, before the model is in force.</summary>
    private void PrepareReturns(ClusterModel next, List<ControlChange> changes)
    {
        foreach (var (destination, before, after) in changes)
        {
            if (before.State == OperatorState.Maintenance && after.State != OperatorState.Maintenance
                && next.Config.HealthCheck?.Active is { Enabled: true, InitialState: HealthCheckInitialState.Down })
            {
                // Nobody has looked at it meanwhile: it begins as a new one does.
                destination.SetUpByChecks(false);
            }

            if (after.Health == OperatorHealth.Up)
            {
                destination.Failures.Reset();
            }

            var wasOff = before.State == OperatorState.Maintenance || before.Health == OperatorHealth.Down;
            if (wasOff && after.State != OperatorState.Maintenance && after.Health != OperatorHealth.Down)
            {
                destination.Returned = _time.GetTimestamp();
            }
        }
    }

    /// <summary>Once the model is in force. Not under the lock.</summary>
    private void FollowControls(List<ControlChange> changes)
    {
        foreach (var (destination, before, after) in changes)
        {
            if (after.Health == OperatorHealth.Down && before.Health != OperatorHealth.Down)
            {
                WentDown(destination);
            }

            ReportDrained(destination);
        }
    }

    private void ReturnSlot(DestinationState destination)
    {
        destination.ReturnSlot();
        ReportDrained(destination);
    }

    private void ReportDrained(DestinationState destination)
    {
        if (destination.TryFinishDrain())
        {
            Log.Drained(_logger, Id, destination.Id, destination.Address, destination.Control.State);
        }
    }

    private readonly record struct ControlChange(DestinationState Destination, DestinationControl Before, DestinationControl After);
}
