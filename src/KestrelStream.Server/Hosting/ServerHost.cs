using KestrelStream.Configuration;
using KestrelStream.Http;
using KestrelStream.Server.ReverseProxy;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace KestrelStream.Server.Hosting;

/// <summary>The app around the library: its logging, its admin port.</summary>
internal static class ServerHost
{
    public static WebApplication Build(ConfigFile file)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = file.BasePath });

        // Sections beside StreamProxy, such as Logging. They are read once.
        builder.Configuration.AddInMemoryCollection(file.ReadHostSettings());
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        builder.Logging.AddSimpleConsole(o =>
        {
            o.SingleLine = true;
            o.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            o.UseUtcTimestamp = true;
        });

        // Standard output belongs to the Ready lines and to an access log with Path "-".
        // A terminal or pipe that nobody reads loses lines; it must not stop the thread that serves sessions.
        builder.Services.Configure<ConsoleLoggerOptions>(o =>
        {
            o.LogToStandardErrorThreshold = LogLevel.Trace;
            o.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
        });

        // Why a start failed is said once, by the run command; the framework would add its own words and a stack trace.
        WebApplication? app = null;
        builder.Logging.AddFilter("Microsoft", level => level >= LogLevel.Warning && app?.Lifetime.ApplicationStarted.IsCancellationRequested == true);

        builder.Services.AddSingleton(services => new ReverseProxyHost(file, services));
        builder.Services.AddSingleton<IHttpAppSource>(services => services.GetRequiredService<ReverseProxyHost>());
        builder.Services.AddSingleton<IStreamProxyConfigProvider>(services => services.GetRequiredService<ReverseProxyHost>());
        builder.Services.AddStreamProxy().AddAcme();
        builder.Services.AddRouting();

        // The drain has its own clock, StreamProxy:ShutdownTimeout; the host's would cut it short.
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = Timeout.InfiniteTimeSpan);

        var admin = file.GetConfig().Config.Admin;
        if (ProxyAddress.TryParseListen(admin?.Address ?? "", out var address))
        {
            builder.WebHost.UseKestrelCore().ConfigureKestrel(o => AdminEndpoint.Listen(o, address!));
        }
        else
        {
            builder.Services.AddSingleton<IServer, NoServer>();
        }

        app = builder.Build();
        app.MapStreamProxyAdmin();
        if (address is not null)
        {
            AdminRequests.Check(app, address);
            app.Lifetime.ApplicationStarted.Register(() => AdminEndpoint.KeepOthersOut(address));
        }

        return app;
    }
}
