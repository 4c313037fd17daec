using System.Net;
using KestrelStream.Tests.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Xunit;

namespace KestrelStream.Tests.Admin;

public sealed class DashboardPageTests
{
    [Fact]
    public async Task Page_AtTheRoot_IsWhole()
    {
        using var proxy = new TestProxy();
        await using var host = await AdminHost.StartAsync(proxy);
        using var response = await host.Client.GetAsync("/");
        var page = await response.Content.ReadAsStringAsync();
        Assert.Equal("text/html", response.Content.Headers.ContentType?.MediaType);
        Assert.StartsWith("<!doctype html>", page, StringComparison.Ordinal);
        Assert.EndsWith("</script></body></html>", page, StringComparison.Ordinal);
        Assert.Single(response.Headers.GetValues("Content-Security-Policy"), policy => !policy.Contains("unsafe", StringComparison.Ordinal));
        Assert.InRange(page.Length, 1, 200 * 1024);
        Assert.DoesNotContain("http://", page.Replace("http://www.w3.org/", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_BelowAPrefix_IsSentToItsFolder()
    {
        using var proxy = new TestProxy();
        await using var host = await AdminHost.StartAsync(proxy, endpoints => endpoints.MapGroup("/tools/proxy").MapStreamProxyAdmin());
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = host.Client.BaseAddress };
        using var response = await client.GetAsync("/tools/proxy");
        Assert.Equal(HttpStatusCode.TemporaryRedirect, response.StatusCode);
        Assert.Equal("proxy/", response.Headers.Location?.ToString());
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/tools/proxy/")).StatusCode);
    }

    [Fact]
    public async Task Page_AppHasItsOwn_StaysBehindIt()
    {
        using var proxy = new TestProxy();
        await using var host = await AdminHost.StartAsync(proxy, endpoints =>
        {
            endpoints.MapStreamProxyAdmin();
            endpoints.MapGet("/", (RequestDelegate)(context => context.Response.WriteAsync("the app")));
        });
        Assert.Equal("the app", await host.Client.GetStringAsync("/"));
        await host.GetAsync("/api/clusters");
    }

    [Fact]
    public async Task Stream_Page_GetsModelAndFrames()
    {
        using var proxy = new TestProxy();
        await using var host = await AdminHost.StartAsync(proxy);
        using var response = await host.Client.GetAsync("/api/live", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var events = new List<string>();
        while (events.Count < 3)
        {
            if (await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20)) is { } line && line.StartsWith("event: ", StringComparison.Ordinal))
            {
                events.Add(line[7..]);
                if (events.Count == 2)
                {
                    proxy.Time.Advance(TimeSpan.FromSeconds(1));
                }
            }
        }

        Assert.Equal(["model", "frame", "frame"], events);
    }

    [Theory]
    [InlineData("/api/history?cluster=none", HttpStatusCode.NotFound)]
    [InlineData("/api/explain?listener=public&none=1", HttpStatusCode.BadRequest)]
    [InlineData("/api/explain?listener=public&hello=xyz", HttpStatusCode.BadRequest)]
    [InlineData("/api/explain?listener=public&hello=16&sni=a.example.com", HttpStatusCode.BadRequest)]
    [InlineData("/api/sessions/none", HttpStatusCode.NotFound)]
    public async Task Request_Bad_IsAProblem(string path, HttpStatusCode status)
    {
        using var proxy = new TestProxy();
        await using var host = await AdminHost.StartAsync(proxy);
        await host.GetAsync(path, status, "application/problem+json");
    }
}
