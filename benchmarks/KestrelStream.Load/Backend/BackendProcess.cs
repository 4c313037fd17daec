using System.Diagnostics;

namespace KestrelStream.Load.Backend;

/// <summary>The generator's hold on the backend process: starts it, knows its ports, ends it.</summary>
internal sealed class BackendProcess : IDisposable
{
    private readonly Process _process;

    private BackendProcess(Process process, BackendPorts ports)
    {
        _process = process;
        Ports = ports;
    }

    public BackendPorts Ports { get; }

    public static BackendProcess Start(int networks)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["backend", networks.ToString(provider: null)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        Process process = Process.Start(start)!;
        string? line = process.StandardOutput.ReadLine();
        string[] words = line?.Split(' ') ?? [];
        if (words is not ["ready", var reply, var echo, var bulk])
        {
            process.Kill();
            process.Dispose();
            throw new BenchmarkException("the backend did not start");
        }

        return new BackendProcess(process, new BackendPorts(int.Parse(reply, null), int.Parse(echo, null), int.Parse(bulk, null)));
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(5_000))
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}
