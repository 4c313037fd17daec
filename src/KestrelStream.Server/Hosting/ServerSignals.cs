using System.Runtime.InteropServices;
using KestrelStream.Diagnostics;
using KestrelStream.Diagnostics.AccessLogs;
using KestrelStream.Management;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Server.Hosting;

/// <summary>SIGHUP reloads; SIGUSR1 opens the access log anew; SIGTERM and SIGINT stop, with a drain; a second one ends the drain. Owned by the run command.</summary>
internal sealed partial class ServerSignals : IDisposable
{
    /// <summary>SIGUSR1, which has no name in <see cref="PosixSignal"/>: positive numbers are the system's own.</summary>
    private static readonly PosixSignal s_userSignal1 = (PosixSignal)(OperatingSystem.IsLinux() ? 10 : 30);

    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly IStreamProxy _proxy;
    private readonly SystemdNotifier _notify;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly ILogger _logger;
    private int _stops;

    public ServerSignals(IStreamProxy proxy, AccessLog accessLog, SystemdNotifier notify, IHostApplicationLifetime lifetime, ILogger logger)
    {
        _proxy = proxy;
        _notify = notify;
        _lifetime = lifetime;
        _logger = logger;
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGQUIT, Stop));
        if (!OperatingSystem.IsWindows())
        {
            _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, Reload));
            _registrations.Add(PosixSignalRegistration.Create(s_userSignal1, context =>
            {
                context.Cancel = true;
                accessLog.Reopen();
            }));
        }
    }

    public void Dispose() => _registrations.ForEach(r => r.Dispose());

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _stops) == 1)
        {
            _notify.Stopping();
            _lifetime.StopApplication();
        }
        else
        {
            LogSecondStop(_logger, context.Signal);
            _proxy.AbortSessions();
        }
    }

    private void Reload(PosixSignalContext context)
    {
        context.Cancel = true;
        _ = ReloadAsync();
    }

    private async Task ReloadAsync()
    {
        _notify.Reloading();
        await _proxy.ReloadAsync();

        // A rejected reload keeps serving: for systemd the service is ready again; the log says what was wrong.
        _notify.Ready();
    }

    [LoggerMessage(EventIds.SecondStop, LogLevel.Warning, "A second {Signal}: sessions are cut")]
    private static partial void LogSecondStop(ILogger logger, PosixSignal signal);
}
