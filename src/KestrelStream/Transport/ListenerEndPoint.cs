using System.Net;
using KestrelStream.Configuration;
using KestrelStream.Model;

namespace KestrelStream.Transport;

/// <summary>What Kestrel is given to bind for one of our listeners: the engine finds in it where sessions go.</summary>
internal sealed class ListenerEndPoint(ProxyAddress address, ListenerState listener) : EndPoint
{
    public ProxyAddress Address { get; } = address;

    public ListenerState Listener { get; } = listener;

    public override string ToString() => Address.ToString();
}
