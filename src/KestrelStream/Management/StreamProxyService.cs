using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Primitives;
using KestrelStream.Configuration;

namespace KestrelStream.Management;

/// <summary>Ties the proxy to the host's life: start, reload on change, drain on stop.</summary>
/// <remarks>
/// The drain is in <see cref="StoppingAsync"/>, which every host runs before it stops any service: the host's own HTTP endpoints,
/// health and metrics among them, answer until the last session has ended.
/// </remarks>
internal sealed class StreamProxyService(StreamProxyManager manager, IStreamProxyConfigProvider provider) : IHostedLifecycleService
{
    private IDisposable? _changes;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await manager.StartAsync(cancellationToken);
        _changes = ChangeToken.OnChange(provider.GetReloadToken, () => _ = manager.ReloadAsync(CancellationToken.None));
    }

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        _changes?.Dispose();
        return manager.DrainAsync(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
