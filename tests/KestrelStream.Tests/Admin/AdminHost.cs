using System.Net;
using System.Text.Json;
using KestrelStream.Admin;
using KestrelStream.Model;
using KestrelStream.TestKit;
using KestrelStream.Tests.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelStream.Tests.Admin;

/// <summary>An app on a free port that maps the admin endpoints of a <see cref="TestProxy"/>. Stopped on dispose.</summary>
internal sealed class AdminHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private readonly RecordingLogger _log;

    private AdminHost(WebApplication app, RecordingLogger log)
    {
        _app = app;
        _log = log;
        Client = new HttpClient { BaseAddress = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()) };
    }

    public HttpClient Client { get; }

    public IServiceProvider Services => _app.Services;

    /// <param name="proxy">What it shows.</param>
    /// <param name="map">Null = at the root.</param>
    /// <param name="configure">The services of the app around it.</param>
    public static async Task<AdminHost> StartAsync(TestProxy proxy, Action<IEndpointRouteBuilder>? map = null, Action<IServiceCollection>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        var log = new RecordingLogger();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<IProxyState>(proxy);
        builder.Services.AddSingleton<TimeProvider>(proxy.Time);
        builder.Services.AddSingleton(proxy.Metrics);
        builder.Services.AddSingleton(proxy.Table);
        builder.Services.AddStreamProxyAdmin().AddStreamProxyAdmin();
        configure?.Invoke(builder.Services);
        var app = builder.Build();
        (map ?? (endpoints => endpoints.MapStreamProxyAdmin()))(app);
        await app.StartAsync();
        return new AdminHost(app, log);
    }

    /// <summary>Answer as JSON text, without white space.</summary>
    public async Task<string> GetAsync(string path, HttpStatusCode status = HttpStatusCode.OK, string mediaType = "application/json")
    {
        using var response = await Client.GetAsync(path);
        Assert.Empty(_log.Events.Select(logged => logged.Exception).OfType<Exception>());
        Assert.Equal(status, response.StatusCode);
        Assert.Equal(mediaType, response.Content.Headers.ContentType?.MediaType);
        Assert.True(response.Headers.CacheControl?.NoStore);
        var text = await response.Content.ReadAsStringAsync();
        using var json = JsonDocument.Parse(text);
        return text;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
