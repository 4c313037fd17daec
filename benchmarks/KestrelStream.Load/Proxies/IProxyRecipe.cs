using System.Diagnostics;

namespace KestrelStream.Load.Proxies;

/// <summary>How one proxy is configured and started.</summary>
internal interface IProxyRecipe
{
    /// <summary>The word of <c>--proxies</c>.</summary>
    string Id { get; }

    /// <summary>Head of its column.</summary>
    string Title { get; }

    /// <summary>Line on standard output that says it serves; null = it serves when every port takes a connection.</summary>
    string? ReadyLine { get; }

    /// <summary>Processes it consists of: its own and its workers.</summary>
    int ProcessCount { get; }

    /// <summary>Name and version, as the program itself tells.</summary>
    string ReadVersion();

    /// <summary>Writes the config into the site's folder and returns the command to start in the foreground.</summary>
    ProcessStartInfo Configure(ProxySite site);
}
