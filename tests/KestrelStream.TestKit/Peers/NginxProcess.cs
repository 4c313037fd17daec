using System.Net;
using System.Text;

namespace KestrelStream.TestKit.Peers;

/// <summary>A real nginx as a backend. Its sites answer every path with <c>site=NAME sni=… tls=… host=…</c>.</summary>
public sealed class NginxProcess : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Dictionary<string, IPEndPoint> _endPoints = [];
    private ChildProcess? _process;

    private NginxProcess()
    {
    }

    /// <summary>Where a site listens.</summary>
    public IPEndPoint this[string site] => _endPoints[site];

    /// <summary>The running server, to be stopped or paused.</summary>
    public ChildProcess Process => _process!;

    /// <summary>Starts one and waits until it serves.</summary>
    public static async Task<NginxProcess> StartAsync(params NginxSite[] sites)
    {
        var nginx = new NginxProcess();
        try
        {
            for (var attempt = 1; !await nginx.TryStartAsync(sites); attempt++)
            {
                if (attempt == 3)
                {
                    throw new InvalidOperationException($"nginx has not started:\n{nginx._process!.Error.Text}");
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

    /// <summary>Runs <c>nginx -t</c> on a configuration.</summary>
    /// <param name="configuration">The whole file.</param>
    /// <param name="folder">Prefix that its relative paths start from.</param>
    public static Task<ProcessResult> TestAsync(string configuration, TempFolder folder)
        => ChildProcess.RunAsync(Program, ["-p", folder.Path, "-e", "stderr", "-t", "-c", folder.Write("nginx.conf", configuration)]);

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _folder.Dispose();
    }

    private static string Program => PeerProgram.Find("nginx", "nginx");

    private async Task<bool> TryStartAsync(NginxSite[] sites)
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        var path = _folder.Write("nginx.conf", Configuration(sites));
        _process = ChildProcess.Start(Program, ["-p", _folder.Path, "-e", "stderr", "-c", path]);
        foreach (var endPoint in _endPoints.Values)
        {
            if (!await LoopbackPort.WaitUntilOpenAsync(endPoint, () => _process.HasExited))
            {
                return false;
            }
        }

        return true;
    }

    private string Configuration(NginxSite[] sites)
    {
        // One process in the foreground: nothing is left when it is killed.
        var text = new StringBuilder($$"""
            daemon off; master_process off; pid {{_folder["nginx.pid"]}};
            events { worker_connections 2048; }
            http {
                access_log off; default_type text/plain;
                client_body_temp_path {{_folder["body"]}}; proxy_temp_path {{_folder["proxy"]}}; fastcgi_temp_path {{_folder["fastcgi"]}};
                uwsgi_temp_path {{_folder["uwsgi"]}}; scgi_temp_path {{_folder["scgi"]}};

            """);
        foreach (var site in sites)
        {
            var endPoint = _endPoints[site.Name] = LoopbackPort.TakeEndPoint();
            text.AppendLine("    server {");
            text.AppendLine($"        listen {endPoint}{(site.Certificate is null ? "" : " ssl")};");
            if (site.Certificate is { } certificate)
            {
                text.AppendLine($"        ssl_certificate {_folder.Write(site.Name + ".pem", certificate.ChainPem)};");
                text.AppendLine($"        ssl_certificate_key {_folder.Write(site.Name + ".key", certificate.KeyPem)};");
                text.AppendLine("        ssl_protocols TLSv1.2 TLSv1.3;");
            }

            if (site.Folder is { } folder)
            {
                text.AppendLine($"        location /files/ {{ alias {folder}/; }}");
            }

            var tls = site.Certificate is null ? "sni= tls=" : "sni=$ssl_server_name tls=$ssl_protocol";
            text.AppendLine($"        location / {{ return 200 \"site={site.Name} {tls} host=$host\\n\"; }}");
            text.AppendLine("    }");
        }

        return text.AppendLine("}").ToString();
    }
}
