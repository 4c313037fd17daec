using System.Diagnostics;
using KestrelStream.Load.Client;

namespace KestrelStream.Load.Proxies;

/// <summary>HAProxy with two threads in one process.</summary>
internal sealed class HaproxyRecipe : IProxyRecipe
{
    /// <summary>For the 4,000 idle sessions, with room, and for more when there are more.</summary>
    private const int LeastSessions = 9_000;

    /// <summary>Twice this and what the sessions need has to fit the limit on open files, or it does not start.</summary>
    private const int SpareSessions = 100;

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
        string config = site.WriteConfig("haproxy.cfg", new Dictionary<string, string>
        {
            ["SESSIONS"] = $"{Math.Max(LeastSessions, site.Sessions + SpareSessions)}",
        });

        // -db: stay in the foreground, without a master process.
        return new ProcessStartInfo("haproxy", ["-db", "-f", config]);
    }
}
