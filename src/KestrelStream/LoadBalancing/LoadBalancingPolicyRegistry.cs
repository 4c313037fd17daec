using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace KestrelStream.LoadBalancing;

/// <summary>The registered policies by name. One per proxy; immutable.</summary>
internal sealed class LoadBalancingPolicyRegistry
{
    private readonly FrozenDictionary<string, ILoadBalancingPolicy> _policies;

    /// <exception cref="ArgumentException">Two policies have the same name, or one has none.</exception>
    public LoadBalancingPolicyRegistry(IEnumerable<ILoadBalancingPolicy> policies)
    {
        var byName = new Dictionary<string, ILoadBalancingPolicy>(StringComparer.OrdinalIgnoreCase);
        foreach (var policy in policies)
        {
            if (string.IsNullOrWhiteSpace(policy.Name))
            {
                throw new ArgumentException($"The load balancing policy {policy.GetType()} has no name.", nameof(policies));
            }

            if (!byName.TryAdd(policy.Name, policy))
            {
                throw new ArgumentException(
                    $"The load balancing policies {byName[policy.Name].GetType()} and {policy.GetType()} share the name '{policy.Name}'.",
                    nameof(policies));
            }
        }

        _policies = byName.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
        Names = [.. _policies.Keys.Order(StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>For messages that say what would be valid.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>New instances of the policies that come with the proxy.</summary>
    public static IEnumerable<ILoadBalancingPolicy> CreateBuiltIn() =>
    [
        new RoundRobinPolicy(),
        new LeastConnectionsPolicy(),
        new LeastLatencyPolicy(),
        new RandomPolicy(),
        new PowerOfTwoChoicesPolicy(),
        new ConsistentHashPolicy(),
        new FirstAlphabeticalPolicy(),
    ];

    public bool TryGet(string name, [NotNullWhen(true)] out ILoadBalancingPolicy? policy) => _policies.TryGetValue(name, out policy);
}
