using System.Net;
using KestrelStream.Model;
namespace KestrelStream.Dialing;
internal sealed class DestinationResolver
{
    public ValueTask<EndPoint[]> GetEndPointsAsync(DestinationState destination, TimeSpan timeout) => new(this is null ? [] : destination.EndPoints);
}
