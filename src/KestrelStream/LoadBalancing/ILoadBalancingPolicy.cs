namespace KestrelStream.LoadBalancing;

/// <summary>
/// Chooses a destination for a session. Registered as a service and found by <see cref="Name"/>; one instance serves every cluster
/// that names it, from many threads at once.
/// </summary>
public interface ILoadBalancingPolicy
{
    /// <summary>What <c>LoadBalancingPolicy</c> of a cluster says. Case is ignored; no two policies may share a name.</summary>
    string Name { get; }

    /// <summary>Chooses one destination. Called for every dial, so it must not block, and should not allocate.</summary>
    /// <param name="context">The destinations, at least one of which can be chosen.</param>
    /// <returns>
    /// The number of a destination for which <see cref="LoadBalancingContext.IsAvailable"/> is true, or -1 to choose none:
    /// the session then goes on as if all of them were down.
    /// </returns>
    int Pick(in LoadBalancingContext context);
}
