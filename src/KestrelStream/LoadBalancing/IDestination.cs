using KestrelStream.Health;

namespace KestrelStream.LoadBalancing;

/// <summary>A destination as a balancing policy sees it. Live: numbers may change while a policy looks.</summary>
public interface IDestination
{
    /// <summary>Key in the cluster's <c>Destinations</c>.</summary>
    string Id { get; }

    /// <summary>As <c>10.0.0.11:443</c>, <c>[2001:db8::1]:443</c>, <c>backend.internal:443</c> or <c>unix:/path</c>.</summary>
    string Address { get; }

    /// <summary>Share of sessions relative to the others.</summary>
    int Weight { get; }

    /// <summary>Sessions that are being dialled or relayed now.</summary>
    int ActiveSessions { get; }

    /// <summary>What is known about it.</summary>
    DestinationHealth Health { get; }
}
