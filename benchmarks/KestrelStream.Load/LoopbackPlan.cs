using System.Net;
using System.Net.Sockets;
using KestrelStream.Load.Interop;

namespace KestrelStream.Load;

/// <summary>Which loopback addresses and ports the run uses.</summary>
/// <remarks>
/// A run opens some hundred thousand connections, and each leaves a TIME_WAIT entry that blocks its tuple of addresses and ports.
/// Clients therefore leave from eight addresses, and every proxy has eight backend addresses of its own: no proxy searches for a free
/// port among the leftovers of the one measured before it.
/// </remarks>
internal static class LoopbackPlan
{
    public const int AddressesPerNetwork = 8;

    private const int FirstNetwork = 10;
    private const int LowestListenPort = 15_000;

    private static readonly ulong[] s_clientSources =
        [.. Enumerable.Range(2, AddressesPerNetwork).Select(host => Libc.PackEndpoint(new IPEndPoint(new IPAddress([127, 0, 0, (byte)host]), 0)))];

    /// <summary>First three numbers of the backend addresses of one proxy, such as <c>127.0.10</c>; the hosts are 1 to 8.</summary>
    public static string BackendNetwork(int proxyIndex) => $"127.0.{FirstNetwork + proxyIndex}";

    public static IPAddress BackendAddress(int proxyIndex, int host) => new([127, 0, (byte)(FirstNetwork + proxyIndex), (byte)(host + 1)]);

    /// <summary>Source endpoint (port 0) for the <paramref name="number"/>th connection.</summary>
    public static ulong ClientSource(long number) => s_clientSources[number & (AddressesPerNetwork - 1)];

    /// <summary>
    /// Ports to try for listening, in random order, below the range the kernel takes outgoing ports from: inside it a port may be
    /// free now and taken by one of our own connections a moment later.
    /// </summary>
    public static IEnumerable<int> ListenPortCandidates()
    {
        string range = File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range");
        int lowestOutgoing = int.Parse(range.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[0], null);
        int[] ports = lowestOutgoing > LowestListenPort + 1_000
            ? [.. Enumerable.Range(LowestListenPort, lowestOutgoing - LowestListenPort)]
            : [.. Enumerable.Range(2_000, 8_000)];
        Random.Shared.Shuffle(ports);
        return ports;
    }

    /// <summary><paramref name="count"/> different ports of 127.0.0.1 that nobody listens on now.</summary>
    public static int[] TakeFreePorts(int count, HashSet<int> taken)
    {
        var ports = new List<int>(count);
        foreach (int port in ListenPortCandidates())
        {
            if (ports.Count == count)
            {
                break;
            }

            if (!taken.Contains(port) && IsFree(port))
            {
                _ = taken.Add(port);
                ports.Add(port);
            }
        }

        return ports.Count == count ? [.. ports] : throw new BenchmarkException($"no {count} free ports on 127.0.0.1");
    }

    private static bool IsFree(int port)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
