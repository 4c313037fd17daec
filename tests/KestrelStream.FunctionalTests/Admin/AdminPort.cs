using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using KestrelStream.Admin;
using KestrelStream.Diagnostics;
using KestrelStream.Management;
using KestrelStream.Model;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelStream.FunctionalTests.Admin;

/// <summary>The admin endpoints of a <see cref="ProxyEnvironment"/> on a port of their own, and a client of theirs. Stopped on dispose.</summary>
internal sealed class AdminPort : IAsyncDisposable
{
    public const string Token = "a-token-of-twenty-letters";

    private readonly WebApplication _app;

    private AdminPort(WebApplication app)
    {
        _app = app;
        Client = new HttpClient { BaseAddress = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()) };
    }

    /// <summary>Without a token.</summary>
    public HttpClient Client { get; }

    /// <param name="proxy">What it shows.</param>
    /// <param name="prefix">Below which it is mapped.</param>
    public static async Task<AdminPort> StartAsync(ProxyEnvironment proxy, string prefix = "")
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(proxy.Log);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(proxy.Services.GetRequiredService<IProxyState>());
        builder.Services.AddSingleton(proxy.Services.GetRequiredService<IProxyControl>());
        builder.Services.AddSingleton(proxy.Services.GetRequiredService<StreamProxyMetrics>());
        builder.Services.AddSingleton(proxy.Services.GetRequiredService<SessionTable>());
        builder.Services.AddSingleton(proxy.Services.GetRequiredService<RefusedSessions>());
        builder.Services.AddSingleton(proxy.Services.GetRequiredService<ConfigHistory>());
        builder.Services.AddStreamProxyAdmin();
        var app = builder.Build();
        app.MapGroup(prefix).MapStreamProxyAdmin();
        await app.StartAsync();
        return new AdminPort(app);
    }

    /// <summary>With the token.</summary>
    public async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(string method, string path, string? json = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        if (json is not null)
        {
            request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        }

        using var response = await Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        using var document = JsonDocument.Parse(text.Length > 0 ? text : "null");
        return (response.StatusCode, document.RootElement.Clone());
    }

    /// <summary>A change that is made.</summary>
    public async Task<JsonElement> ChangeAsync(string method, string path, string? json = null)
    {
        var (status, body) = await SendAsync(method, path, json);
        Assert.True(status is HttpStatusCode.OK or HttpStatusCode.Created, $"{method} {path}: {status} {body.GetRawText()}");
        return body;
    }

    /// <summary>State, weight or health of a destination of cluster <c>c</c>.</summary>
    public Task<JsonElement> SetAsync(string destination, string json) => ChangeAsync("POST", $"/api/clusters/c/destinations/{destination}", json);

    public async Task<JsonElement> GetAsync(string path)
    {
        using var document = JsonDocument.Parse(await Client.GetStringAsync(path));
        return document.RootElement.Clone();
    }

    /// <summary>A destination of cluster <c>c</c> as <c>/api/clusters</c> shows it.</summary>
    public async Task<JsonElement> DestinationAsync(string id)
    {
        var clusters = await GetAsync("/api/clusters");
        return clusters.EnumerateArray().Single(cluster => cluster.GetProperty("id").GetString() == "c")
            .GetProperty("destinations").EnumerateArray().Single(destination => destination.GetProperty("id").GetString() == id);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
