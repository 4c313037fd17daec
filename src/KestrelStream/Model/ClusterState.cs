using KestrelStream.Configuration;
namespace KestrelStream.Model;
internal struct DialAttempts { public int Count; }
internal sealed class ClusterModel { public ClusterConfig Config { get; init; } = new(); }
internal sealed class ClusterState
{
    public required string Id { get; init; }
    public ClusterModel Model { get; } = new();
    public DestinationState? D { get; init; }
    public DestinationState? Next(ref DialAttempts attempts) => attempts.Count++ == 0 ? D : null;
    public void DialSucceeded(DestinationState destination, in DialAttempts attempts) => _ = D ?? destination;
    public void DialFailed(DestinationState destination, ref DialAttempts attempts) => _ = D ?? destination;
    public void Release(DestinationState destination) => _ = D ?? destination;
}
