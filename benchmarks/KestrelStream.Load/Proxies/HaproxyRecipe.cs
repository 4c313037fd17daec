using System.Diagnostics;
using KestrelStream.Load.Client;

namespace KestrelStream.Load.Proxies;

/// <summary>HAProxy with two threads in one process.</summary>
internal sealed class HaproxyRecipe : IProxyRecipe
{
    public string Id => "haproxy";

    public string Title => "HAProxy";

    public string? ReadyLine => null;

    public int ProcessCount => 1;

    public string ReadVersion()
    {
        string[] words = Command.Output("haproxy", "-v").Split(' ');
        return $"HAProxy {words[2]}";
    }

    public ProcessStartInfo Configure(ProxySite site)
    {
        File.WriteAllLines(
            Path.Combine(site.Directory, "sni.map"),
            Enumerable.Range(0, ClientHellos.RouteCount).Select(index => $"{ClientHellos.RouteName(index)} reply"));
        string config = site.WriteConfig("haproxy.cfg", new Dictionary<string, string>());

        // -db: stay in the foreground, without a master process.
        return new ProcessStartInfo("haproxy", ["-db", "-f", config]);
    }
}
