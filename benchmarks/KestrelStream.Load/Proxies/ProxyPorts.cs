using System.Net;

namespace KestrelStream.Load.Proxies;

/// <summary>Ports of one proxy on 127.0.0.1: one listener per kind of work, as the config templates name them.</summary>
internal sealed record ProxyPorts(int Tcp, int Sni, int Echo, int Bulk, int TlsFull, int TlsResumed, int TlsBulk)
{
    private const int Count = 7;

    public IReadOnlyList<int> All => [Tcp, Sni, Echo, Bulk, TlsFull, TlsResumed, TlsBulk];

    public static IPEndPoint Endpoint(int port) => new(IPAddress.Loopback, port);

    public static ProxyPorts Take(HashSet<int> taken)
    {
        int[] ports = LoopbackPlan.TakeFreePorts(Count, taken);
        return new ProxyPorts(ports[0], ports[1], ports[2], ports[3], ports[4], ports[5], ports[6]);
    }
}
