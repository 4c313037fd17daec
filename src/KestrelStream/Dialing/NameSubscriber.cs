using System.Net;
using KestrelStream.Model;

namespace KestrelStream.Dialing;

/// <summary>A destination that has a host name.</summary>
internal readonly record struct NameSubscriber(string ClusterId, DestinationState Destination)
{
    /// <summary>A new answer. Endpoints that are the same in the same order are left as they are.</summary>
    public void Publish(ReadOnlySpan<IPAddress> addresses)
    {
        var port = Destination.Address.Port;
        var endPoints = new EndPoint[addresses.Length];
        for (var i = 0; i < endPoints.Length; i++)
        {
            endPoints[i] = new IPEndPoint(addresses[i], port);
        }

        Destination.SetEndPoints(endPoints.AsSpan().SequenceEqual(Destination.EndPoints) ? Destination.EndPoints : endPoints);
    }
}
