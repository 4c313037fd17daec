using System.Net;
using System.Net.NetworkInformation;
using KestrelStream.Access;
using KestrelStream.Model;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.Dialing.Dynamic;

/// <summary>Knows whether an address is one that this proxy itself listens on: a session that is sent there comes back, and back again. Thread-safe.</summary>
internal sealed class OwnListeners(IServiceProvider services, TimeProvider time)
{
    /// <summary>Addresses of the machine change seldom, and asking for them is no small thing.</summary>
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(10);

    private volatile Machine? _machine;

    public bool Contains(IPAddress address, int port)
    {
        // Not by the constructor: the proxy's state is made of those who dial.
        foreach (var listener in services.GetRequiredService<IProxyState>().Listeners)
        {
            foreach (var endPoint in listener.Bound)
            {
                if (endPoint is IPEndPoint bound && bound.Port == port && IsAt(bound.Address, address))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private bool IsAt(IPAddress bound, IPAddress address)
        => bound.Equals(IPAddress.Any) || bound.Equals(IPAddress.IPv6Any)
            ? IPAddress.IsLoopback(address) || AddressesOfMachine().Contains(address)
            : bound.Equals(address) || NetworkSyntax.Plain(bound).Equals(address);

    private HashSet<IPAddress> AddressesOfMachine()
    {
        if (_machine is not { } machine || time.GetElapsedTime(machine.Read) > Freshness)
        {
            _machine = machine = new Machine(
                [.. NetworkInterface.GetAllNetworkInterfaces().SelectMany(card => card.GetIPProperties().UnicastAddresses).Select(unicast => unicast.Address)], time.GetTimestamp());
        }

        return machine.Addresses;
    }

    private sealed record Machine(HashSet<IPAddress> Addresses, long Read);
}
