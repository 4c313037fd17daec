using System.Reflection;
using System.Runtime.InteropServices;
using KestrelStream.Diagnostics;
using KestrelStream.Diagnostics.AccessLogs;
using KestrelStream.Management;
using KestrelStream.Server.Demo;
using KestrelStream.Server.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Server.Commands;

/// <summary><c>kestrelstream run</c>.</summary>
internal static partial class RunCommand
{
    public static async Task<int> RunAsync(FileInfo file)
    {
        if (!file.Exists)
        {
            await Console.Error.WriteLineAsync($"{file.FullName}: the file does not exist");
            return ExitCode.CannotStart;
        }

        using var configFile = new ConfigFile(file, TimeProvider.System);
        DemoCertificate.Ensure(configFile.Demo, configFile.BasePath);
        using var telemetry = TelemetryExport.StartIfAsked();
        await using var app = ServerHost.Build(configFile);
        await using var demo = new DemoBackends();
        try
        {
            await demo.StartAsync(configFile.Demo);
            await StartAsync(app);
        }
        catch (StreamProxyConfigException e)
        {
            foreach (var error in e.Errors)
            {
                await Console.Error.WriteLineAsync(error.ToString());
            }

            return ExitCode.InvalidConfig;
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or PlatformNotSupportedException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return ExitCode.CannotStart;
        }

        var proxy = app.Services.GetRequiredService<IStreamProxy>();
        var notify = SystemdNotifier.FromEnvironment();
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("KestrelStream.Server");
        LogStarted(logger, Version, RuntimeInformation.FrameworkDescription, file.FullName);
        using var signals = new ServerSignals(proxy, app.Services.GetRequiredService<AccessLog>(), notify, app.Lifetime, logger);

        ReadyBanner.Print(Console.Out, proxy, configFile, app.Services.GetRequiredService<IServer>());
        configFile.StartWatching();
        notify.Ready();
        MemoryReturn.Now();
        await app.WaitForShutdownAsync();
        return ExitCode.Ok;
    }

    private static string Version
        => typeof(RunCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    private static async Task StartAsync(WebApplication app)
    {
        try
        {
            await app.StartAsync();
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException && app.Services.GetRequiredService<IStreamProxy>().Generation > 0)
        {
            // The proxy itself runs, and what starts after it is the admin port alone.
            throw new IOException($"Admin port: {e.Message}", e);
        }
    }

    [LoggerMessage(EventIds.ServerStarted, LogLevel.Information, "KestrelStream {Version} on {Runtime} runs; configuration {Path}")]
    private static partial void LogStarted(ILogger logger, string version, string runtime, string path);
}
