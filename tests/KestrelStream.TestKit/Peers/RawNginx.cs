using System.Net;

namespace KestrelStream.TestKit.Peers;

/// <summary>A real nginx with a configuration of the test's own, in the foreground, with the stream module.</summary>
public sealed class RawNginx : IAsyncDisposable
{
    private const string StreamModule = "/usr/lib/nginx/modules/ngx_stream_module.so";

    private readonly TempFolder _folder = new();
    private ChildProcess? _process;

    private RawNginx()
    {
    }

    /// <summary>Starts one and waits until it takes connections.</summary>
    /// <param name="endPoints">Where it listens.</param>
    /// <param name="blocks"><c>http { … }</c>, <c>stream { … }</c>. In http, logs and temporary files are taken care of.</param>
    public static async Task<RawNginx> StartAsync(IPEndPoint[] endPoints, string blocks)
    {
        var nginx = new RawNginx();
        try
        {
            var folder = nginx._folder;
            var http = $"http {{ access_log off; client_body_temp_path {folder["body"]}; proxy_temp_path {folder["proxy"]}; fastcgi_temp_path {folder["fastcgi"]}; "
                + $"uwsgi_temp_path {folder["uwsgi"]}; scgi_temp_path {folder["scgi"]};";
            var module = File.Exists(StreamModule) ? $"load_module {StreamModule};" : "";
            var path = folder.Write("nginx.conf", $"{module} daemon off; master_process off; pid {folder["nginx.pid"]};\nevents {{ }}\n{blocks.Replace("http {", http, StringComparison.Ordinal)}\n");
            nginx._process = ChildProcess.Start(PeerProgram.Find("nginx", "nginx"), ["-p", folder.Path, "-e", "stderr", "-c", path]);
            foreach (var endPoint in endPoints)
            {
                if (!await LoopbackPort.WaitUntilOpenAsync(endPoint, () => nginx._process.HasExited))
                {
                    throw new InvalidOperationException($"nginx has not started:\n{nginx._process.Error.Text}");
                }
            }

            return nginx;
        }
        catch
        {
            await nginx.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _folder.Dispose();
    }
}
