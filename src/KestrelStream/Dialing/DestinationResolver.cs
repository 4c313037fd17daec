using System.Net;
using KestrelStream.Model;
namespace KestrelStream.Dialing;
internal interface IDestinationNameResolver;
internal sealed class SystemNameResolver : IDestinationNameResolver;
internal sealed class DestinationResolver
{
    public void Apply(IReadOnlyDictionary<string, ClusterState> clusters) => _ = (this, clusters);
    public ValueTask<EndPoint[]> GetEndPointsAsync(DestinationState destination, TimeSpan timeout) => new(this is null ? [] : destination.EndPoints);
}
