using System.Runtime.CompilerServices;
using KestrelStream.Configuration;
using KestrelStream.Http;
using KestrelStream.Server.Hosting;
using KestrelStream.Yarp;
using Microsoft.Extensions.Primitives;

namespace KestrelStream.Server.ReverseProxy;

/// <summary>
/// The file's configuration with what of it is YARP's, and YARP itself from the moment that a route needs it: one that is handed over to HTTP, or one that
/// names a cluster of the section <c>ReverseProxy</c>. A server without such routes never loads it. One call at once, as the proxy's manager does.
/// </summary>
internal sealed class ReverseProxyHost(ConfigFile file, IServiceProvider services) : IStreamProxyConfigProvider, IHttpAppSource, IAsyncDisposable
{
    // Not the constant of ReverseProxyApp's: nothing of that assembly is to be loaded for it.
    private const string Section = "ReverseProxy";

    private readonly FileSettings _settings = new(file);
    private ReverseProxyApp? _app;
    private string? _whyNot;

    public string BasePath => file.BasePath;

    public string? WhyNot => _whyNot;

    public ConfigResult GetConfig()
    {
        var own = file.GetConfig();
        if (_app is not null)
        {
            _settings.Refresh();
        }

        return NeedsYarp(own.Config) ? AddClusters(own) : own;
    }

    public IChangeToken GetReloadToken()
        => _app is null ? file.GetReloadToken() : new CompositeChangeToken([file.GetReloadToken(), NextChange()]);

    public async Task<IReadOnlyList<ConfigError>> PrepareAsync(StreamProxyConfig config, CancellationToken cancellationToken)
    {
        if (_app is not null)
        {
            await StartAsync(cancellationToken);
        }

        return [];
    }

    public ValueTask DisposeAsync() => _app is null ? ValueTask.CompletedTask : DisposeAppAsync();

    /// <summary>Reads the file once more only where a route may need YARP.</summary>
    private bool NeedsYarp(StreamProxyConfig config)
    {
        var isHandedOver = config.Routes.Values.Any(route => route.Action == RouteAction.Http);
        var unknown = config.Routes.Values.Select(route => route.ClusterId).Where(id => id is not null && !config.Clusters.ContainsKey(id)).ToList();
        if (!isHandedOver && unknown.Count == 0)
        {
            return false;
        }

        var keys = file.ReadHostSettings().Select(setting => setting.Key).Where(key => key.StartsWith($"{Section}:", StringComparison.OrdinalIgnoreCase)).ToList();
        _whyNot = keys.Count > 0 ? null : $"{file.FullName} has no section \"{Section}\", by which YARP routes requests";
        return (isHandedOver && keys.Count > 0) || keys.Exists(key => unknown.Exists(id => key.StartsWith($"{Section}:Clusters:{id}:", StringComparison.OrdinalIgnoreCase)));
    }

    // Not inlined, all of these: whoever calls them loads YARP.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private ConfigResult AddClusters(ConfigResult own)
    {
        try
        {
            _app ??= new ReverseProxyApp(_settings, file.BasePath, services);
            return _app.Clusters.AddTo(own);
        }
        catch (Exception e)
        {
            // Whatever YARP makes of its section; it throws what it finds wrong.
            return own with { Errors = [.. own.Errors, .. ReverseProxyApp.ErrorsOf(e)] };
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Task StartAsync(CancellationToken cancellationToken) => _app!.StartAsync(cancellationToken);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ValueTask DisposeAppAsync() => _app!.DisposeAsync();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private IChangeToken NextChange() => _app!.Clusters.NextChange;
}
