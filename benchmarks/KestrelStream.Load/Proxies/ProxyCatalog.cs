namespace KestrelStream.Load.Proxies;

/// <summary>The proxies a run can compare.</summary>
internal static class ProxyCatalog
{
    public const string Baseline = "nginx";
    public const string SelfCheck = "nginx2";

    /// <summary>Second baseline of the bulk figures; takes part in those alone and cannot be chosen.</summary>
    public const string LargeBuffers = "nginx64k";

    public const string EventLoop = "eventloop";

    public static readonly IReadOnlyList<string> Default = [Baseline, SelfCheck, "haproxy", "sockets", EventLoop];

    /// <summary>The others are for single questions: what the access log costs, and whether another build is cheaper.</summary>
    public static readonly IReadOnlyList<string> Ids = [.. Default, "eventloop-log", "eventloop-other"];

    /// <param name="id">One of <see cref="Ids"/>.</param>
    /// <param name="server">The published server.</param>
    /// <param name="other">Another build of it.</param>
    public static IProxyRecipe Create(string id, string? server, string? other) => id switch
    {
        Baseline => new NginxRecipe(id, "nginx", ""),
        SelfCheck => new NginxRecipe(id, "nginx (2nd)", ""),
        LargeBuffers => new NginxRecipe(id, "nginx (64k)", "proxy_buffer_size 64k;"),
        "haproxy" => new HaproxyRecipe(),
        "sockets" => new KestrelStreamRecipe(id, "Sockets", ServerPath(server, "--server")),
        EventLoop => new KestrelStreamRecipe(id, "EventLoop", ServerPath(server, "--server")),
        "eventloop-log" => new KestrelStreamRecipe(id, "EventLoop", ServerPath(server, "--server")) { Variant = " with log", HasAccessLog = true },
        "eventloop-other" => new KestrelStreamRecipe(id, "EventLoop", ServerPath(other, "--other")) { Variant = ", other build" },
        _ => throw new BenchmarkException($"unknown proxy '{id}'; known: {string.Join(", ", Ids)}"),
    };

    private static string ServerPath(string? server, string option)
        => File.Exists(server) ? Path.GetFullPath(server) : throw new BenchmarkException($"no KestrelStream server at '{server}' ({option})");
}
