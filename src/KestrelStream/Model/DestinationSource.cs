using System.Collections.Immutable;
using System.Net;
using KestrelStream.Configuration;
using KestrelStream.Discovery;

namespace KestrelStream.Model;

/// <summary>
/// A configured destination whose address is a name, over the reloads that keep its id and address: what the name stands for, and who has
/// left. Its members are destinations of their own. Owned by its <see cref="ClusterState"/>; thread-safe.
/// </summary>
internal sealed class DestinationSource(string id, ProxyAddress address)
{
    private readonly long[] _lookups = new long[Enum.GetValues<LookupResult>().Length];

    // Sessions wait for it: none of them may run on the thread that looks names up.
    private readonly TaskCompletionSource _firstAnswer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private volatile NameState? _state;

    /// <summary>Members that the name no longer has, while sessions run on them.</summary>
    private ImmutableArray<DestinationState> _leaving = [];

    private long _ejectionsOfLeft;

    /// <summary>Key in the configuration.</summary>
    public string Id { get; } = id;

    /// <summary>As configured.</summary>
    public ProxyAddress Address { get; } = address;

    /// <summary>After the last lookup; null = none has ended.</summary>
    public NameState? State => _state;

    /// <summary>Completes with the first lookup, whatever came of it, or when nobody is going to look.</summary>
    public Task FirstAnswer => _firstAnswer.Task;

    /// <summary>Of all who have left, so that a sum over the members never goes down.</summary>
    public long EjectionsOfLeft => Interlocked.Read(ref _ejectionsOfLeft);

    /// <summary>Members without new sessions, until their last one ends.</summary>
    public IEnumerable<DestinationState> Leaving => _leaving.Where(member => member.ActiveSessions > 0);

    /// <summary>Lookups that ended so.</summary>
    public long Lookups(LookupResult result) => Interlocked.Read(ref _lookups[(int)result]);

    /// <summary>False when a newer state is known. Under the lock under which models change.</summary>
    public bool TryTake(NameState state)
    {
        if (_state is { } known && known.Sequence >= state.Sequence)
        {
            return false;
        }

        Interlocked.Increment(ref _lookups[(int)state.Result]);
        _state = state;
        return true;
    }

    /// <summary>Sessions stop waiting for members.</summary>
    public void EndWaiting() => _firstAnswer.TrySetResult();

    /// <summary>Members that the name no longer has. Under the lock under which models change.</summary>
    public void Leave(IReadOnlyCollection<DestinationState> members)
    {
        Interlocked.Add(ref _ejectionsOfLeft, members.Sum(member => member.Ejections));
        _leaving = [.. Leaving, .. members];
    }

    /// <summary>The destinations that an answer stands for.</summary>
    public static IEnumerable<SourceMember> MembersOf(string id, ProxyAddress address, DestinationConfig config, ImmutableArray<DiscoveredAddress> answer)
    {
        int[] priorities = [.. answer.Select(member => member.Priority).Distinct().Order()];
        foreach (var member in answer)
        {
            var isService = address.Kind == ProxyAddressKind.Srv;
            var endPoint = new IPEndPoint(member.Address, isService ? member.Port : address.Port);
            var rank = Array.BinarySearch(priorities, member.Priority);
            yield return new SourceMember(
                $"{id}@{(isService ? endPoint : endPoint.Address)}",
                ProxyAddress.Of(endPoint),
                member.Target ?? address.Host.TrimEnd('.'),
                config with
                {
                    Address = endPoint.ToString(),

                    // RFC 2782: a weight of 0 is a small chance, not none.
                    Weight = isService && config.Weight > 0 ? Math.Max(1, member.Weight) : config.Weight,
                    Backup = config.Backup || rank > 0,
                },
                (config.Backup, rank));
        }
    }
}
