using Microsoft.Extensions.Primitives;

namespace KestrelStream.Configuration;

/// <summary>Where configuration comes from. One is registered; replace it to load from elsewhere.</summary>
public interface IStreamProxyConfigProvider
{
    /// <summary>Reads the source now. Mistakes are returned, never thrown. May be called again at any time; one call at once.</summary>
    ConfigResult GetConfig();

    /// <summary>Fires once when <see cref="GetConfig"/> would answer differently; asked for again after each firing.</summary>
    IChangeToken GetReloadToken();

    /// <summary>Folder that relative paths start from.</summary>
    string BasePath { get; }
}
