using System.Net;
using KestrelStream.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KestrelStream.Server.Demo;

/// <summary>Small web servers of a first run, each of which says its own name. Owned by the run command.</summary>
internal sealed class DemoBackends : IAsyncDisposable
{
    private readonly List<WebApplication> _apps = [];

    /// <exception cref="IOException">An address is in use.</exception>
    public async Task StartAsync(DemoOptions? demo)
    {
        if (demo is null)
        {
            return;
        }

        foreach (var (name, address) in demo.TlsBackends)
        {
            await StartAsync(name, address, options => options.UseHttps(DemoCertificate.Create($"{name}.localhost")), "its own certificate");
        }

        foreach (var (name, address) in demo.PlainBackends)
        {
            await StartAsync(name, address, _ => { }, "plain HTTP");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var app in _apps)
        {
            await app.DisposeAsync();
        }
    }

    private async Task StartAsync(string name, string address, Action<ListenOptions> configure, string speaks)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(o => o.Listen(IPEndPoint.Parse(address), configure));
        builder.Services.AddRouting();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(1));
        var app = builder.Build();
        app.Run(context => context.Response.WriteAsync($"Hello from backend {name} ({speaks}).\n"));
        _apps.Add(app);
        try
        {
            await app.StartAsync();
        }
        catch (IOException e)
        {
            throw new IOException($"Demo backend \"{name}\" cannot listen on {address}: {e.Message}", e);
        }
    }
}
