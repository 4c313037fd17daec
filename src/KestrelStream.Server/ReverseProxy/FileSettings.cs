using KestrelStream.Server.Hosting;
using Microsoft.Extensions.Configuration;

namespace KestrelStream.Server.ReverseProxy;

/// <summary>What the configuration file says beside the stream proxy, for YARP, which follows it. One call at once.</summary>
internal sealed class FileSettings(ConfigFile file) : ConfigurationProvider, IConfigurationSource
{
    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    public override void Load() => Data = Read();

    /// <summary>Reads the file again, and tells of it if that has changed anything.</summary>
    public void Refresh()
    {
        var now = Read();
        if (now.Count != Data.Count || now.Any(setting => !Data.TryGetValue(setting.Key, out var before) || before != setting.Value))
        {
            Data = now;
            OnReload();
        }
    }

    private Dictionary<string, string?> Read() => file.ReadHostSettings().ToDictionary(StringComparer.OrdinalIgnoreCase);
}
