using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;

namespace KestrelStream.Configuration;

/// <summary>Configuration from a section of an <see cref="IConfiguration"/>; follows its reload token. Safe on any thread.</summary>
/// <param name="section">The section that holds the proxy's keys, usually <c>StreamProxy</c>.</param>
/// <param name="basePath">Folder of the config file, or the content root of the app.</param>
internal sealed class ConfigurationConfigProvider(IConfigurationSection section, string basePath) : IStreamProxyConfigProvider
{
    public string BasePath { get; } = Path.GetFullPath(basePath);

    public ConfigResult GetConfig() => ConfigurationReader.Read(section);

    public IChangeToken GetReloadToken() => section.GetReloadToken();
}
