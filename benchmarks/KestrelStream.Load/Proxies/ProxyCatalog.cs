namespace KestrelStream.Load.Proxies;

/// <summary>The proxies a run can compare.</summary>
internal static class ProxyCatalog
{
    public const string Baseline = "nginx";
    public const string SelfCheck = "nginx2";

    /// <summary>Second baseline of the bulk figures; takes part in those alone and cannot be chosen.</summary>
    public const string LargeBuffers = "nginx64k";

    public static readonly IReadOnlyList<string> Ids = [Baseline, SelfCheck, "haproxy", "sockets", "eventloop"];

    public static IProxyRecipe Create(string id, string? server) => id switch
    {
        Baseline => new NginxRecipe(id, "nginx", ""),
        SelfCheck => new NginxRecipe(id, "nginx (2nd)", ""),
        LargeBuffers => new NginxRecipe(id, "nginx (64k)", "proxy_buffer_size 64k;"),
        "haproxy" => new HaproxyRecipe(),
        "sockets" => new KestrelStreamRecipe(id, "Sockets", ServerPath(server)),
        "eventloop" => new KestrelStreamRecipe(id, "EventLoop", ServerPath(server)),
        _ => throw new BenchmarkException($"unknown proxy '{id}'; known: {string.Join(", ", Ids)}"),
    };

    private static string ServerPath(string? server)
        => File.Exists(server) ? Path.GetFullPath(server) : throw new BenchmarkException($"no KestrelStream server at '{server}' (--server)");
}
