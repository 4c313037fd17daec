using System.Net;
using KestrelStream.Configuration;
using KestrelStream.Discovery;

namespace KestrelStream.Health.Checks;

/// <summary>A name that active checks of a cluster go to instead of the destinations' own addresses. Made by the <see cref="HealthChecker"/>; thread-safe.</summary>
internal sealed class CheckName(string clusterId, string destinationId, ProxyAddress address) : INameSubscriber
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _firstAnswer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile EndPoint[] _endPoints = [];
    private long _sequence = -1;

    public string ClusterId => clusterId;

    public string DestinationId => destinationId;

    public ProxyAddress Address => address;

    /// <summary>Every address that the name has; before the first answer it is waited for. Empty = it does not resolve, or not in time.</summary>
    public async ValueTask<EndPoint[]> GetEndPointsAsync(TimeSpan timeout, TimeProvider time)
    {
        if (!_firstAnswer.Task.IsCompleted)
        {
            await _firstAnswer.Task.WaitAsync(timeout, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return _endPoints;
    }

    public void Take(NameState state)
    {
        lock (_gate)
        {
            if (state.Sequence > _sequence)
            {
                _sequence = state.Sequence;
                _endPoints = [.. state.Addresses.Select(member => new IPEndPoint(member.Address, address.Port))];
            }
        }

        Abandon();
    }

    public void Abandon() => _firstAnswer.TrySetResult();
}
