using System.Net;

namespace KestrelStream.Http;

/// <summary>What <see cref="HttpApp"/> gives Kestrel to "bind": no address, a queue that sessions put their connections in.</summary>
/// <param name="listener">The queue.</param>
/// <param name="name">As Kestrel's log shows it.</param>
internal sealed class HandOverEndPoint(HandOverListener listener, string name) : EndPoint
{
    public HandOverListener Listener { get; } = listener;

    public override string ToString() => name;
}
