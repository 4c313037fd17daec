using System.Diagnostics;
using KestrelStream.Load.Client;

namespace KestrelStream.Load.Proxies;

/// <summary>nginx with two workers.</summary>
/// <param name="id">The word of <c>--proxies</c>.</param>
/// <param name="title">Head of its column.</param>
/// <param name="buffers">Directives that go into the stream block; empty for nginx's defaults.</param>
internal sealed class NginxRecipe(string id, string title, string buffers) : IProxyRecipe
{
    /// <summary>Where Debian's libnginx-mod-stream puts it; a build with stream inside needs none.</summary>
    private const string StreamModule = "/usr/lib/nginx/modules/ngx_stream_module.so";

    /// <summary>For the 4,000 idle sessions, which take two connections each and may all land on one worker, and for more when there are more.</summary>
    private const int LeastConnections = 10_000;

    /// <summary>Listeners, channels to the master, and connections that are being closed.</summary>
    private const int SpareConnections = 500;

    public string Id => id;

    public string Title => title;

    public string? ReadyLine => null;

    /// <summary>The master and <c>worker_processes</c> of the template.</summary>
    public int ProcessCount => 3;

    public string ReadVersion() => Command.Output("nginx", "-v").Replace("nginx version: nginx/", "nginx ", StringComparison.Ordinal);

    public ProcessStartInfo Configure(ProxySite site)
    {
        File.WriteAllLines(
            Path.Combine(site.Directory, "sni.map"),
            Enumerable.Range(0, ClientHellos.RouteCount).Select(index => $"{ClientHellos.RouteName(index)} reply;"));
        string config = site.WriteConfig("nginx.conf", new Dictionary<string, string>
        {
            ["LOAD_STREAM_MODULE"] = File.Exists(StreamModule) ? $"load_module {StreamModule};" : "",
            // Started by root, workers would become nobody, who cannot reach this folder.
            ["USER"] = Environment.IsPrivilegedProcess ? $"user {Environment.UserName};" : "",
            ["CONNECTIONS"] = $"{Math.Max(LeastConnections, (2 * site.Sessions) + SpareConnections)}",
            ["BUFFERS"] = buffers,
        });
        return new ProcessStartInfo("nginx", ["-p", site.Directory, "-e", Path.Combine(site.Directory, "error.log"), "-c", config]);
    }
}
