using System.Net;

namespace KestrelStream.TestKit.Peers;

/// <summary>A real HAProxy with sections of the test's own, in the foreground.</summary>
public sealed class HaproxyProcess : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private ChildProcess? _process;

    private HaproxyProcess()
    {
    }

    /// <summary>What it has said.</summary>
    public string Log => _process!.Error.Text + _process.Output.Text;

    /// <summary>Starts one and waits until it takes connections.</summary>
    /// <param name="endPoint">Where its first frontend listens.</param>
    /// <param name="sections">What follows global and defaults.</param>
    public static async Task<HaproxyProcess> StartAsync(IPEndPoint endPoint, string sections)
    {
        var haproxy = new HaproxyProcess();
        try
        {
            var path = haproxy._folder.Write("haproxy.cfg", $"""
                global
                    log stdout format raw daemon
                defaults
                    mode tcp
                    timeout connect 10s
                    timeout client 30s
                    timeout server 30s
                {sections}

                """);
            haproxy._process = ChildProcess.Start(PeerProgram.Find("haproxy", "haproxy"), ["-db", "-f", path]);
            return await LoopbackPort.WaitUntilOpenAsync(endPoint, () => haproxy._process.HasExited)
                ? haproxy
                : throw new InvalidOperationException($"HAProxy has not started:\n{haproxy.Log}");
        }
        catch
        {
            await haproxy.DisposeAsync();
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
