using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;

namespace KestrelStream.Configuration;

/// <summary>Configuration built in code, replaced as a whole by <see cref="Update"/>. Safe on any thread.</summary>
public sealed class InMemoryConfigProvider : IStreamProxyConfigProvider
{
    private readonly Lock _gate = new();
    private StreamProxyConfig _config;
    private ConfigurationReloadToken _changed = new();

    /// <summary>Starts with a configuration.</summary>
    public InMemoryConfigProvider(StreamProxyConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        _config = config;
    }

    /// <summary>Folder that relative paths start from. Default: the current folder of the process.</summary>
    public string BasePath { get; init; } = Directory.GetCurrentDirectory();

    /// <summary>
    /// Replaces the configuration and fires the reload token, on the calling thread. Whether the new one is valid is found out by whoever
    /// follows the token: an invalid one changes nothing of what runs.
    /// </summary>
    public void Update(StreamProxyConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        ConfigurationReloadToken fired;
        lock (_gate)
        {
            _config = config;
            fired = _changed;
            _changed = new ConfigurationReloadToken();
        }

        // Outside the lock: who is called reads the new configuration and asks for the next token.
        fired.OnReload();
    }

    /// <inheritdoc/>
    public ConfigResult GetConfig()
    {
        lock (_gate)
        {
            return new ConfigResult(_config, []);
        }
    }

    /// <inheritdoc/>
    public IChangeToken GetReloadToken()
    {
        lock (_gate)
        {
            return _changed;
        }
    }
}
