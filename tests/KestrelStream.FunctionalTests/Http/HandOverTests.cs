using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Http;

/// <summary>Routes with <c>Action: Http</c>: what the app and its clients see, on every engine.</summary>
public sealed class HandOverTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Http11AndHttp2_OverTls_AppSeesWhoAsks(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var site = await HttpSite.StartAsync(HttpSite.Secure(engine, tlsEngine, _folder));
        foreach (var (version, protocol) in new[] { (HttpVersion.Version11, "HTTP/1.1"), (HttpVersion.Version20, "HTTP/2") })
        {
            using var client = site.CreateClient(version);
            var who = (await client.GetStringAsync("https://a.example.com/who")).Split('|');

            Assert.Equal(["https", protocol, "a.example.com", "a.example.com", "Tls13"], who[..5]);
            Assert.StartsWith("127.0.0.1:", who[5]);
            Assert.Equal(site.EndPoint.ToString(), who[6]);
            Assert.Equal("public", who[8]);
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task InTheClear_Http11AndHttp2WithPriorKnowledge(EngineKind engine)
    {
        await using var site = await HttpSite.StartAsync(HttpSite.Clear(engine) with
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["public"] = new() { Address = "127.0.0.1:0" } },
            Routes = new Dictionary<string, RouteConfig>
            {
                ["site"] = new() { Action = RouteAction.Http },
                ["tls"] = new() { Action = RouteAction.Reject, Match = new RouteMatch { Sni = ["*.example.com"] } },
            },
        });
        using var http11 = site.CreateClient(HttpVersion.Version11);
        using var http2 = site.CreateClient(HttpVersion.Version20);

        Assert.StartsWith("http|HTTP/1.1|", await http11.GetStringAsync("http://a.example.com/who"));
        Assert.StartsWith("http|HTTP/2|", await http2.GetStringAsync("http://a.example.com/who"));
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task LargeBodiesBothWays_EveryByteArrives(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var site = await HttpSite.StartAsync(HttpSite.Secure(engine, tlsEngine, _folder));
        foreach (var version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
        {
            using var client = site.CreateClient(version);
            await Task.WhenAll(Enumerable.Range(0, 4).Select(async i =>
            {
                var body = RandomNumberGenerator.GetBytes((8 * 1024 * 1024) + i);
                using var answer = await client.PostAsync("https://a.example.com/echo", new ByteArrayContent(body));
                Assert.Equal(body, await answer.Content.ReadAsByteArrayAsync());
            }));
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task WebSocket_MessagesComeBack(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var site = await HttpSite.StartAsync(HttpSite.Secure(engine, tlsEngine, _folder));
        using var client = site.CreateClient();
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri("wss://a.example.com/ws"), client, CancellationToken.None).WaitAsync(Wait.Limit);
        var received = new byte[64 * 1024];
        for (var size = 1; size < 60_000; size = (size * 7) + 1)
        {
            var message = RandomNumberGenerator.GetBytes(size);
            await socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
            var count = 0;
            ValueWebSocketReceiveResult result;
            do
            {
                result = await socket.ReceiveAsync(received.AsMemory(count), CancellationToken.None).AsTask().WaitAsync(Wait.Limit);
                count += result.Count;
            }
            while (!result.EndOfMessage);
            Assert.True(message.AsSpan().SequenceEqual(received.AsSpan(0, count)));
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None).WaitAsync(Wait.Limit);
        Assert.Equal(SessionEndReason.Completed, (await site.EndedAsync()).EndReason);
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Curl_Http11AndHttp2(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var site = await HttpSite.StartAsync(HttpSite.Secure(engine, tlsEngine, _folder));
        var root = _folder.Write("root.pem", TestCertificates.Shared.Root.ExportCertificatePem());
        foreach (var (option, protocol) in new[] { ("--http1.1", "HTTP/1.1"), ("--http2", "HTTP/2") })
        {
            var result = await Curl.GetAsync("https://a.example.com/who", site.EndPoint, "--cacert", root, option);

            Assert.Equal((0, 200), (result.ExitCode, result.Status));
            Assert.StartsWith($"https|{protocol}|a.example.com|", result.Body);
        }
    }

    /// <summary>An HTTP/1.1 client that does not wait: its requests come in one segment, cut anywhere, and are answered in order.</summary>
    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task PipelinedRequests_OnManyConnections_AreAnsweredInOrder(EngineKind engine, TlsEngineKind tlsEngine)
    {
        const int Requests = 50;
        await using var site = await HttpSite.StartAsync(HttpSite.Secure(engine, tlsEngine, _folder));
        var all = string.Concat(Enumerable.Range(0, Requests).Select(i =>
            $"POST /echo HTTP/1.1\r\nHost: a.example.com\r\n{(i == Requests - 1 ? "Connection: close\r\n" : "")}Content-Length: 3\r\n\r\n{i:D3}"));
        await Task.WhenAll(Enumerable.Range(1, 60).Select(async seed =>
        {
            await using var client = await HandshakeAsync(site, "a.example.com");
            var random = new Random(seed);
            var bytes = Encoding.ASCII.GetBytes(all);
            for (var sent = 0; sent < bytes.Length;)
            {
                var count = Math.Min(random.Next(1, 1500), bytes.Length - sent);
                await client.WriteAsync(bytes.AsMemory(sent, count));
                sent += count;
            }

            var text = await new StreamReader(client).ReadToEndAsync().WaitAsync(Wait.Limit);
            var bodies = text.Split("HTTP/1.1 200 OK", StringSplitOptions.RemoveEmptyEntries).Select(answer => answer[^3..]);
            Assert.Equal(Enumerable.Range(0, Requests).Select(i => $"{i:D3}"), bodies);
        }));
        await Wait.UntilAsync(() => site.Sessions.All(session => session.Phase == SessionPhase.Closed), "all sessions to end");
        Assert.All(site.Sessions, session => Assert.Equal(SessionEndReason.Completed, session.EndReason));
        Assert.All(site.Sessions, session => Assert.Equal(all.Length, session.BytesIn));
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task ClientLeavesInTheMiddleOfARequest_AppIsTold(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var site = await HttpSite.StartAsync(HttpSite.Secure(engine, tlsEngine, _folder));
        var client = await HandshakeAsync(site, "a.example.com");
        await client.WriteAsync("GET /held HTTP/1.1\r\nHost: a.example.com\r\n\r\n"u8.ToArray());
        Assert.True(await site.Held.WaitAsync(Wait.Limit));

        await client.DisposeAsync();

        await site.Aborted.Task.WaitAsync(Wait.Limit);
        site.Release.SetResult();
        await site.EndedAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task AppAborts_ClientIsReset(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var site = await HttpSite.StartAsync(HttpSite.Secure(engine, tlsEngine, _folder));
        using var client = site.CreateClient();

        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync("https://a.example.com/abort"));

        Assert.Equal(SessionEndReason.UpstreamReset, (await site.EndedAsync()).EndReason);
    }

    /// <summary>The rest of the body is on its way when the answer is given: a reset would destroy that.</summary>
    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task AnswerBeforeTheBodyHasCome_Arrives(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var site = await HttpSite.StartAsync(HttpSite.Secure(engine, tlsEngine, _folder));
        await using var client = await HandshakeAsync(site, "a.example.com");
        await client.WriteAsync("POST /nowhere HTTP/1.1\r\nHost: a.example.com\r\nConnection: close\r\nContent-Length: 100000000\r\n\r\n"u8.ToArray());
        await client.WriteAsync(new byte[100_000]);

        Assert.StartsWith("HTTP/1.1 404", await new StreamReader(client).ReadToEndAsync().WaitAsync(Wait.Limit));
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task AdminEndpointsOfTheApp_AreNotThereForClientsOfTheProxy(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var site = await HttpSite.StartAsync(HttpSite.Secure(engine, tlsEngine, _folder));
        using var client = site.CreateClient();

        foreach (var path in new[] { "metrics", "api/config", "healthz", "api/sessions" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync($"https://a.example.com/{path}")).StatusCode);
        }

        using var own = new HttpClient();
        Assert.Contains("\"route\":\"site\"", await own.GetStringAsync($"{site.App.Urls.First()}/api/sessions"));
    }

    private static async Task<SslStream> HandshakeAsync(HttpSite site, string name)
    {
        var ssl = new SslStream(new NetworkStream(await site.ConnectAsync(), ownsSocket: true), false, (_, _, _, _) => true);
        await ssl.AuthenticateAsClientAsync(name).WaitAsync(Wait.Limit);
        return ssl;
    }
}
