using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Server;

/// <summary>What a service manager hears on NOTIFY_SOCKET: sd_notify(3), Type=notify-reload.</summary>
public sealed class SystemdNotifyTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Notify_StartReloadStop_SaysEachInOrder(bool isAbstract)
    {
        var name = isAbstract ? "@kestrelstream-test-" + Guid.NewGuid().ToString("N") : _folder["notify"];
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(isAbstract ? "\0" + name[1..] : name));
        await using var server = await ServerProcess.StartAsync(new ServerOptions
        {
            ConfigPath = _folder.Write("appsettings.json", ServerConfig.OneRoute(new IPEndPoint(IPAddress.Loopback, 9))),
            Environment = new Dictionary<string, string> { ["NOTIFY_SOCKET"] = name },
        });

        Assert.Equal("READY=1", await ReceiveAsync(manager));

        var before = MonotonicMicroseconds();
        server.Signal(ServerProcess.Hangup);
        var reloading = (await ReceiveAsync(manager)).Split('\n');
        Assert.Equal("RELOADING=1", reloading[0]);
        Assert.StartsWith("MONOTONIC_USEC=", reloading[1]);
        var at = long.Parse(reloading[1].Split('=')[1], CultureInfo.InvariantCulture);
        Assert.InRange(at, before, MonotonicMicroseconds());
        Assert.Equal("READY=1", await ReceiveAsync(manager));

        // A reload that is rejected is over all the same: the service goes on.
        _folder.Write("appsettings.json", "{ broken");
        server.Signal(ServerProcess.Hangup);
        Assert.StartsWith("RELOADING=1\n", await ReceiveAsync(manager));
        Assert.Equal("READY=1", await ReceiveAsync(manager));

        server.Signal(ServerProcess.Terminate);
        Assert.Equal("STOPPING=1", await ReceiveAsync(manager));
        Assert.Equal(0, (await server.WaitForExitAsync()).ExitCode);
    }

    /// <summary>CLOCK_MONOTONIC, which Stopwatch reads on Linux.</summary>
    private static long MonotonicMicroseconds() => Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000);

    private static async Task<string> ReceiveAsync(Socket socket)
    {
        var buffer = new byte[1024];
        using var timeout = new CancellationTokenSource(Wait.Limit);
        return Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer, timeout.Token));
    }
}
