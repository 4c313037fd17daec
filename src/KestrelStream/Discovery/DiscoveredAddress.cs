using System.Net;

namespace KestrelStream.Discovery;

/// <summary>One address that a name stands for.</summary>
/// <param name="Address">Where to connect.</param>
/// <param name="Port">Of the SRV record; 0 = the port that the configuration says.</param>
/// <param name="Priority">Of the SRV record: the lowest first; otherwise 0.</param>
/// <param name="Weight">Of the SRV record; otherwise 0.</param>
/// <param name="Target">The name that the SRV record says; null = it was asked for by its name.</param>
internal readonly record struct DiscoveredAddress(IPAddress Address, int Port = 0, int Priority = 0, int Weight = 0, string? Target = null)
    : IComparable<DiscoveredAddress>
{
    /// <summary>The same answer in the same order, however a server shuffles it.</summary>
    public int CompareTo(DiscoveredAddress other)
    {
        var order = Priority.CompareTo(other.Priority);
        order = order != 0 ? order : Address.AddressFamily.CompareTo(other.Address.AddressFamily);
        order = order != 0 ? order : Address.GetAddressBytes().AsSpan().SequenceCompareTo(other.Address.GetAddressBytes());
        return order != 0 ? order : Port.CompareTo(other.Port);
    }
}
