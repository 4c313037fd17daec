using System.Diagnostics;
using KestrelStream.Load.Client;

namespace KestrelStream.Load.Proxies;

/// <summary>The published server with one of its engines.</summary>
/// <param name="id">The word of <c>--proxies</c>.</param>
/// <param name="engine">Value of the <c>Engine</c> key.</param>
/// <param name="server">Path of the published binary.</param>
internal sealed class KestrelStreamRecipe(string id, string engine, string server) : IProxyRecipe
{
    private const int CommitDigits = 9;

    public string Id => id;

    public string Title => $"KestrelStream {engine}{Variant}";

    /// <summary>What else is to be said of it, for the head of its column.</summary>
    public string Variant { get; init; } = "";

    /// <summary>JSON to a file, one record a session.</summary>
    public bool HasAccessLog { get; init; }

    public string? ReadyLine => "Ready";

    public int ProcessCount => 1;

    public string ReadVersion()
    {
        // The build appends the commit; its first digits are enough to find it.
        string version = Command.Output(server, "--version");
        int commit = version.IndexOf('+');
        return $"KestrelStream {(commit < 0 ? version : version[..Math.Min(version.Length, commit + 1 + CommitDigits)])}";
    }

    public ProcessStartInfo Configure(ProxySite site)
    {
        IEnumerable<string> routes = Enumerable.Range(0, ClientHellos.RouteCount).Select(index =>
            $$"""      "sni-{{index:d4}}": { "Listeners": ["sni"], "Match": { "Sni": ["{{ClientHellos.RouteName(index)}}"] }, "ClusterId": "reply" }""");
        string config = site.WriteConfig("appsettings.json", new Dictionary<string, string>
        {
            ["ENGINE"] = engine,
            ["ACCESS_LOG"] = HasAccessLog ? """{ "Path": "access.log" }""" : "null",
            ["SNI_ROUTES"] = string.Join(",\n", routes).TrimStart(),
        });
        var start = new ProcessStartInfo(server, ["run", "--config", config]) { WorkingDirectory = site.Directory };

        // As many cores as the others have workers and threads; the runtime's pool and the number of event loops follow it.
        start.Environment["DOTNET_PROCESSOR_COUNT"] = "2";
        return start;
    }
}
