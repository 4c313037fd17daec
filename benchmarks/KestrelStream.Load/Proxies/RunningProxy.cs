using System.ComponentModel;
using System.Diagnostics;
using System.Net.Sockets;
using KestrelStream.Load.Interop;
using KestrelStream.Load.Measuring;

namespace KestrelStream.Load.Proxies;

/// <summary>A started proxy with all its processes. Owned by the run; disposing stops it.</summary>
internal sealed class RunningProxy : IDisposable
{
    private static readonly TimeSpan s_startTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_stopTimeout = TimeSpan.FromSeconds(10);

    private readonly Process _process;
    private readonly ProcessOutput _output;

    private RunningProxy(IProxyRecipe recipe, ProxyPorts ports, Process process)
    {
        Recipe = recipe;
        Ports = ports;
        _process = process;
        _output = new ProcessOutput(process, recipe.ReadyLine);
    }

    public IProxyRecipe Recipe { get; }

    public ProxyPorts Ports { get; }

    /// <summary>From starting the process until it said that it serves, or until all its ports took a connection.</summary>
    public TimeSpan StartTime { get; private set; }

    public ProcessGroup Processes { get; private set; } = ProcessGroup.Empty;

    /// <exception cref="BenchmarkException">It did not come up; the message has what it printed.</exception>
    public static RunningProxy Start(IProxyRecipe recipe, ProxySite site, CancellationToken cancellation)
    {
        ProcessStartInfo start = recipe.Configure(site);
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        long begin = Stopwatch.GetTimestamp();
        RunningProxy proxy;
        try
        {
            proxy = new RunningProxy(recipe, site.Ports, Process.Start(start)!);
        }
        catch (Win32Exception error)
        {
            throw new BenchmarkException($"cannot start {start.FileName}: {error.Message}");
        }

        try
        {
            proxy.WaitUntil(() => proxy._output.SawReadyLine && site.Ports.All.All(TakesConnections), begin, cancellation);
            proxy.StartTime = Stopwatch.GetElapsedTime(begin, proxy._output.ReadyAt ?? Stopwatch.GetTimestamp());

            // nginx listens before it has workers.
            proxy.WaitUntil(() => ProcessGroup.Of(proxy._process.Id).Count == recipe.ProcessCount, begin, cancellation);
            proxy.Processes = ProcessGroup.Of(proxy._process.Id);
            return proxy;
        }
        catch
        {
            proxy.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Libc.Terminate(_process.Id);
            if (!_process.WaitForExit(s_stopTimeout))
            {
                _process.Kill(entireProcessTree: true);
                _process.WaitForExit();
            }
        }

        _process.Dispose();
    }

    private void WaitUntil(Func<bool> isReached, long begin, CancellationToken cancellation)
    {
        while (!isReached())
        {
            cancellation.ThrowIfCancellationRequested();
            if (_process.HasExited)
            {
                // Also waits for the last of its output.
                _process.WaitForExit();
                throw new BenchmarkException($"{Recipe.Title} ended with {_process.ExitCode} instead of starting:\n{_output.Tail()}");
            }

            if (Stopwatch.GetElapsedTime(begin) > s_startTimeout)
            {
                throw new BenchmarkException($"{Recipe.Title} did not start within {s_startTimeout.TotalSeconds} s:\n{_output.Tail()}");
            }

            Thread.Sleep(1);
        }
    }

    private static bool TakesConnections(int port)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Connect(ProxyPorts.Endpoint(port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
