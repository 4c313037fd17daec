using System.Globalization;
using System.Net;

namespace KestrelStream.TestKit.Peers;

/// <summary>The real curl.</summary>
public static class Curl
{
    /// <summary>GETs a URL whose host is resolved to <paramref name="endPoint"/>, as <c>curl --resolve</c> does.</summary>
    /// <param name="url">Without a port: <c>https://app1.example.com/</c>.</param>
    /// <param name="endPoint">Where to connect.</param>
    /// <param name="more">More options, e.g. <c>--cacert</c>, a file.</param>
    public static async Task<CurlResult> GetAsync(string url, IPEndPoint endPoint, params string[] more)
    {
        var uri = new UriBuilder(url) { Port = endPoint.Port }.Uri;
        var result = await ChildProcess.RunAsync(PeerProgram.Find("curl", "curl"),
        [
            "--silent", "--show-error", "--noproxy", "*", "--max-time", "50",
            "--resolve", $"{uri.Host}:{uri.Port}:{endPoint.Address}",
            "--write-out", "\n%{http_code}",
            .. more,
            uri.ToString(),
        ]);
        var end = result.Output.LastIndexOf('\n');
        var status = end >= 0 ? int.Parse(result.Output.AsSpan(end + 1), CultureInfo.InvariantCulture) : 0;
        return new CurlResult(result.ExitCode, status, end > 0 ? result.Output[..end].TrimEnd('\n') : "", result.Error);
    }

    /// <summary>GETs from an address, e.g. the admin port: <c>http://address/path</c>.</summary>
    public static Task<CurlResult> GetAsync(IPEndPoint endPoint, string path) => GetAsync($"http://{endPoint.Address}{path}", endPoint);
}
