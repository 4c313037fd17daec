using System.Net;
using KestrelStream.Tests.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace KestrelStream.Tests.Admin;

public sealed class AdminMappingTests
{
    public static TheoryData<string> Paths =>
    [
        "/healthz", "/readyz", "/metrics", "/api/config", "/api/listeners", "/api/routes", "/api/clusters", "/api/acme", "/api/explain?listener=public",
    ];

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Request_OtherMethod_IsNotAllowed(string path)
    {
        using var proxy = new TestProxy();
        await using var host = await AdminHost.StartAsync(proxy);
        foreach (var method in new[] { HttpMethod.Post, HttpMethod.Put, HttpMethod.Delete, HttpMethod.Patch })
        {
            using var response = await host.Client.SendAsync(new HttpRequestMessage(method, path));
            Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
            Assert.Equal(["GET"], response.Content.Headers.Allow);
        }
    }

    [Theory]
    [InlineData("/api/sessions", "DELETE GET", "POST PUT PATCH")]
    [InlineData("/api/sessions/1", "DELETE GET", "POST PUT PATCH")]
    [InlineData("/api/clusters/pool/destinations", "POST PUT", "GET DELETE PATCH")]
    [InlineData("/api/clusters/pool/destinations/a", "DELETE POST", "GET PUT PATCH")]
    [InlineData("/api/config/rollback", "POST", "GET PUT DELETE PATCH")]
    [InlineData("/api/config/diff", "GET", "POST PUT DELETE PATCH")]
    public async Task Change_OtherMethod_IsNotAllowed(string path, string allowed, string others)
    {
        using var proxy = new TestProxy();
        await using var host = await AdminHost.StartAsync(proxy);
        foreach (var method in others.Split(' '))
        {
            using var response = await host.Client.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
            Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
            Assert.Equal(allowed.Split(' '), response.Content.Headers.Allow.Order(StringComparer.Ordinal));
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Request_UnderAPrefix_IsAnsweredThereOnly(string path)
    {
        using var proxy = new TestProxy();
        await using var host = await AdminHost.StartAsync(proxy, endpoints =>
        {
            endpoints.MapGroup("/proxy").MapStreamProxyAdmin();
            endpoints.MapGet("/own", context => context.Response.WriteAsync("mine", context.RequestAborted));
        });
        using var inside = await host.Client.GetAsync("/proxy" + path);
        using var outside = await host.Client.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, inside.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, outside.StatusCode);
        Assert.Equal("mine", await host.Client.GetStringAsync("/own"));
    }

    [Theory]
    [InlineData("/api")]
    [InlineData("/api/none")]
    public async Task Request_OtherPath_IsNotFound(string path)
    {
        using var proxy = new TestProxy();
        await using var host = await AdminHost.StartAsync(proxy);
        using var response = await host.Client.GetAsync(path);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task Metrics_Scraped_IsTheTextFormat()
    {
        using var proxy = new TestProxy();
        proxy.Start();
        await using var host = await AdminHost.StartAsync(proxy);
        using var response = await host.Client.GetAsync("/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        var text = PrometheusTextParser.Parse(await response.Content.ReadAsByteArrayAsync());
        Assert.Equal(1, text.Samples["""kestrelstream_active_sessions{listener="public"}"""]);
    }
}
