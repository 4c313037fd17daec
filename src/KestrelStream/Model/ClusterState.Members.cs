using KestrelStream.Discovery;

namespace KestrelStream.Model;

/// <content>Who belongs to the cluster: by configuration, and by what names stand for.</content>
internal sealed partial class ClusterState
{
    /// <summary>Held while one model takes the place of another. Lock order: this one, then the cluster's.</summary>
    private readonly Lock _applying = new();

    /// <summary>Server names that routes pass on to this cluster, as they write them. Written by one reload at a time.</summary>
    public IReadOnlyList<string> PassedNames { get; set; } = [];

    /// <summary>Called after names have brought or taken members, under no lock. Written by one reload at a time.</summary>
    public Action<ClusterState>? MembersChanged { private get; set; }

    /// <summary>A reload. Sessions that are choosing now may still get a destination of the model before.</summary>
    public void Apply(ClusterModel next)
    {
        List<ControlChange> controlled;
        lock (_applying)
        {
            // A name may have got another answer since the model was made.
            controlled = Replace(next.IsCurrent ? next : ClusterModel.Create(next.Config, next.Policy, _time, Model, next.Tls), added: []);
        }

        FollowControls(controlled);
        ServeQueue();
    }

    /// <summary>A lookup has ended: members that are new get sessions from now on, those that are gone no longer. Others are not touched.</summary>
    public void Refresh(DestinationSource source, NameState state)
    {
        IReadOnlyList<DestinationState> added = [];
        IReadOnlyList<DestinationState> removed = [];
        lock (_applying)
        {
            var before = Model;
            if (!source.TryTake(state))
            {
                return;
            }

            if (before.Sources.Contains(source) && !before.IsCurrent)
            {
                var next = ClusterModel.Create(before.Config, before.Policy, _time, before, before.Tls);
                added = [.. next.Destinations.Except(before.Destinations)];
                removed = [.. before.Destinations.Except(next.Destinations)];
                source.Leave(removed);

                // The first ones of a cluster have nobody who could take the load meanwhile.
                Replace(next, before.Destinations.IsEmpty ? [] : added);
            }
        }

        source.EndWaiting();
        if (added.Count + removed.Count > 0)
        {
            MembersChanged?.Invoke(this);
            ServeQueue();
        }

        foreach (var member in removed)
        {
            Log.MemberRemoved(_logger, Id, source.Id, member.Address, source.Address, member.ActiveSessions);
        }

        foreach (var member in added)
        {
            Log.MemberAdded(_logger, Id, source.Id, member.Address, source.Address);
        }
    }

    /// <param name="next">From now on.</param>
    /// <param name="added">Members of it that begin slowly.</param>
    /// <returns>What an operator says otherwise than before.</returns>
    private List<ControlChange> Replace(ClusterModel next, IReadOnlyList<DestinationState> added)
    {
        var before = _selection;
        var controlled = FindControlled(next);
        var selection = new ClusterSelection(_gate, next, _time);
        var numbers = selection.FindIn(before);
        lock (_gate)
        {
            PrepareReturns(next, controlled);
            foreach (var member in added)
            {
                member.Returned = _time.GetTimestamp();
            }

            selection.ContinueFrom(before, numbers);
            selection.TakeOver();
            _selection = selection;
        }

        return controlled;
    }
}
