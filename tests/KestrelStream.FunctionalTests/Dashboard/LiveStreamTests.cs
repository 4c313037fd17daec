using System.Net;
using System.Net.Sockets;
using KestrelStream.FunctionalTests.Server;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Dashboard;

/// <summary>The stream of a page that looks while the server has other things to do.</summary>
public sealed class LiveStreamTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Stop_PageLooks_IsNotHeldUp()
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var server = await StartAsync(upstream);
        using var client = new HttpClient();
        using var response = await client.GetAsync($"http://{server.Admin}/api/live", HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        while (await reader.ReadLineAsync().WaitAsync(Wait.Limit) is { } line && line != "event: frame")
        {
        }

        var reading = reader.ReadToEndAsync();
        var result = await server.StopAsync();
        Assert.Equal(0, result.ExitCode);
        Assert.NotEmpty(await reading.WaitAsync(Wait.Limit));
    }

    [Fact]
    public async Task Drain_SessionsRun_EndsStreamsAndStillAnswers()
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var server = await StartAsync(upstream);
        using var session = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await session.ConnectAsync(server.Listener("public"));
        await session.SendAllAsync(new byte[1]);
        await session.ReceiveExactlyAsync(1);
        using var client = new HttpClient { BaseAddress = new Uri($"http://{server.Admin}/") };
        using var response = await client.GetAsync("api/live", HttpCompletionOption.ResponseHeadersRead);
        var reading = new StreamReader(await response.Content.ReadAsStreamAsync()).ReadToEndAsync();

        server.Signal(ServerProcess.Terminate);
        await reading.WaitAsync(Wait.Limit);
        using var again = await client.GetAsync("api/live");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, again.StatusCode);
        Assert.Contains("\"draining\":true", await client.GetStringAsync("api/live/now"), StringComparison.Ordinal);

        session.Shutdown(SocketShutdown.Both);
        Assert.Equal(0, (await server.WaitForExitAsync()).ExitCode);
    }

    [Fact]
    public async Task Streams_TooMany_AreToldToComeLater()
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var server = await StartAsync(upstream);
        using var client = new HttpClient { BaseAddress = new Uri($"http://{server.Admin}/") };
        var open = new List<HttpResponseMessage>();
        for (var i = 0; i < KestrelStream.Admin.Live.LiveFeed.MaxWatchers; i++)
        {
            open.Add(await client.GetAsync("api/live", HttpCompletionOption.ResponseHeadersRead));
        }

        using var refused = await client.GetAsync("api/live");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);
        open.ForEach(response => response.Dispose());

        // Whoever has gone makes room.
        await Wait.UntilAsync(() => IsLet(client), "a place");
    }

    private static bool IsLet(HttpClient client)
    {
        using var response = client.Send(new HttpRequestMessage(HttpMethod.Get, "api/live"), HttpCompletionOption.ResponseHeadersRead);
        return response.IsSuccessStatusCode;
    }

    private Task<ServerProcess> StartAsync(ScriptedUpstream upstream) => ServerProcess.StartAsync(new ServerOptions
    {
        ConfigPath = _folder.Write("appsettings.json", ServerConfig.OneRoute(upstream.EndPoint, """
            "Admin": { "Address": "127.0.0.1:0" },
            """)),
    });
}
