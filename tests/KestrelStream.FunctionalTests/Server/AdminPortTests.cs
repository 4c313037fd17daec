using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Server;

/// <summary>The running program's admin port: whom it answers, in what words it refuses, and what its clients can take of it.</summary>
public sealed class AdminPortTests : IAsyncLifetime
{
    private const string Token = "a-token-of-twenty-letters";
    private const string Destination = "/api/clusters/c/destinations/a";

    private readonly TempFolder _folder = new();
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Echo();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Refusals_OfEveryEndpoint_AreProblems()
    {
        await using var server = await StartAsync($$""" "Admin": { "Address": "127.0.0.1:0", "Token": "{{Token}}" }, """);
        using var client = Client(server);
        var large = $$"""{"state":"{{new string('x', 20_000)}}"}""";
        (string Method, string Path, string? Body, int Status)[] refused =
        [
            ("GET", "/api/sessions/none", null, 404),
            ("GET", "/api/sessions/ffffffff", null, 404),
            ("GET", "/api/sessions?sort=none", null, 400),
            ("GET", "/api/sessions?limit=-1", null, 400),
            ("GET", "/api/sessions?limit=10001", null, 400),
            ("GET", "/api/sessions?offset=x", null, 400),
            ("GET", "/api/sessions?client=none", null, 400),
            ("GET", "/api/sessions?route=", null, 400),
            ("GET", "/api/sessions?none=1", null, 400),
            ("GET", "/api/explain", null, 400),
            ("GET", "/api/explain?listener=public&client=none", null, 400),
            ("GET", "/api/explain?listener=public&hello=none", null, 400),
            ("GET", "/api/explain?listener=public&none=1", null, 400),
            ("GET", "/api/explain?listener=none", null, 404),
            ("GET", "/api/history?cluster=none", null, 404),
            ("GET", "/api/none", null, 404),
            ("GET", "/none", null, 404),
            ("POST", "/metrics", "{}", 405),
            ("PATCH", "/api/clusters", "{}", 405),
            ("POST", Destination, large, 413),
            ("POST", Destination, "{", 400),
            ("POST", Destination, """{"weight":-1}""", 400),
            ("POST", Destination, null, 415),
            ("POST", "/api/clusters/none/destinations/a", """{"state":"drain"}""", 404),
            ("POST", "/api/clusters/c/destinations/none", """{"state":"drain"}""", 404),
            ("POST", "/api/clusters/c/destinations", large, 413),
            ("POST", "/api/clusters/c/destinations", """{"id":"b"}""", 400),
            ("POST", "/api/clusters/c/destinations", """{"id":"a","address":"127.0.0.1:1"}""", 409),
            ("PUT", "/api/clusters/none/destinations", """{"id":"b","address":"127.0.0.1:1"}""", 404),
            ("DELETE", "/api/clusters/c/destinations/none", null, 404),
            ("DELETE", Destination, large, 413),
            ("DELETE", "/api/sessions", null, 400),
            ("DELETE", "/api/sessions?none=1", null, 400),
            ("DELETE", "/api/sessions?route=all", large, 413),
            ("DELETE", "/api/sessions/none", null, 404),
            ("DELETE", "/api/sessions/ffffffff", null, 404),
            ("DELETE", "/api/sessions/1", large, 413),
            ("POST", "/api/config/rollback", large, 413),
            ("POST", "/api/config/rollback", null, 409),
        ];
        foreach (var (method, path, body, status) in refused)
        {
            await AssertProblemAsync(client, method, path, body, Token, status);
            if (method != "GET" && status is not (404 or 405) && !path.Contains("none", StringComparison.Ordinal))
            {
                await AssertProblemAsync(client, method, path, body, null, 401);
                await AssertProblemAsync(client, method, path, body, Token + "x", 401);
            }
        }
    }

    /// <summary>A name that resolves to loopback is no name of ours, unless somebody says so.</summary>
    [Theory]
    [InlineData("", "localhost LOCALHOST:80 127.0.0.1 192.0.2.1:9180 [::1]:9180", "evil.example.com evil.example.com:9180 localhost.example.com 127.0.0.1.example.com 127.1")]
    [InlineData("proxy.example.com", "Proxy.Example.Com:9180 proxy.example.com. localhost", "a.proxy.example.com example.com")]
    [InlineData("*.example.com", "a.b.example.com 127.0.0.1", "example.com evilexample.com")]
    [InlineData("*", "evil.example.com", "")]
    public async Task Host_OnLoopback_IsOneOfOurs(string allowed, string ours, string others)
    {
        var hosts = allowed.Length == 0 ? "" : $$""", "AllowedHosts": ["{{allowed}}"]""";
        await using var server = await StartAsync($$""" "Admin": { "Address": "127.0.0.1:0"{{hosts}} }, """);
        foreach (var path in new[] { "/metrics", "/api/sessions", "/", "/none" })
        {
            foreach (var host in ours.Split(' '))
            {
                Assert.StartsWith(path == "/none" ? "HTTP/1.1 404 " : "HTTP/1.1 200 ", await AskAsync(server.Admin, Get(path, host)), StringComparison.Ordinal);
            }

            foreach (var host in others.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                var answer = await AskAsync(server.Admin, Get(path, host));
                Assert.StartsWith("HTTP/1.1 421 ", answer, StringComparison.Ordinal);
                Assert.Contains("\"status\":421", answer, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task Host_OpenToOtherMachines_IsAnyUntilSomeAreNamed()
    {
        string Admin(string more) => ServerConfig.OneRoute(_upstream.EndPoint, $$""" "Admin": { "Address": "0.0.0.0:0", "Token": "{{Token}}"{{more}} }, """);
        await using var server = await ServerProcess.StartAsync(new ServerOptions { ConfigPath = _folder.Write("appsettings.json", Admin("")) });
        var scrape = Get("/metrics", "kestrelstream:9180");
        var port = new IPEndPoint(IPAddress.Loopback, server.Admin.Port);
        Assert.StartsWith("HTTP/1.1 200 ", await AskAsync(port, scrape), StringComparison.Ordinal);

        _folder.Write("appsettings.json", Admin(""", "AllowedHosts": ["proxy.example.com"]"""));
        Assert.True(await server.ReloadAsync(), server.Error.Text);
        Assert.StartsWith("HTTP/1.1 421 ", await AskAsync(port, scrape), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", await AskAsync(port, "GET /metrics HTTP/1.0\r\n\r\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("*:0")]
    [InlineData("0.0.0.0:0")]
    [InlineData("[::]:0")]
    [InlineData("[::ffff:0.0.0.0]:0")]
    public async Task Address_EveryOneWithoutAToken_IsAMistake(string address)
    {
        var options = new ServerOptions
        {
            ConfigPath = _folder.Write("appsettings.json", ServerConfig.OneRoute(_upstream.EndPoint, $$""" "Admin": { "Address": "{{address}}" }, """)),
        };
        foreach (var command in new[] { "check", "run" })
        {
            var result = await ServerProcess.RunAsync(options, command);
            Assert.Equal(1, result.ExitCode);
            Assert.Contains($"StreamProxy:Admin:Address: \"{address}\" is every address of this machine, which needs a Token; valid: ", result.Error, StringComparison.Ordinal);
        }

        var withToken = await ServerProcess.RunAsync(options with { Overrides = new Dictionary<string, string> { ["StreamProxy:Admin:Token"] = Token } }, "check");
        Assert.True(withToken.ExitCode == 0, withToken.ToString());
    }

    /// <summary>A page of another origin neither reads nor changes: it is given no leave for the header that a change takes.</summary>
    [Fact]
    public async Task Origin_OfAnotherSite_GetsNoLeave()
    {
        await using var server = await StartAsync($$""" "Admin": { "Address": "127.0.0.1:0", "Token": "{{Token}}" }, """);
        foreach (var request in new[] { $"OPTIONS {Destination}", "OPTIONS /api/sessions", "GET /api/sessions", $"POST {Destination}" })
        {
            var answer = await AskAsync(
                server.Admin,
                $"{request} HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example.com\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            Assert.StartsWith(request[..3] switch { "GET" => "HTTP/1.1 200 ", "OPT" => "HTTP/1.1 405 ", _ => "HTTP/1.1 401 " }, answer, StringComparison.Ordinal);
            Assert.DoesNotContain("Access-Control", answer, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task Connections_MoreThanTheCap_AreClosedAndRoomComesBack()
    {
        await using var server = await StartAsync(""" "Admin": { "Address": "127.0.0.1:0" }, """);
        var held = new List<Socket>();
        try
        {
            for (var i = 0; i < 100; i++)
            {
                held.Add(await ConnectAsync(server.Admin));
                Assert.StartsWith("HTTP/1.1 200 ", await AnswerAsync(held[i], "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"), StringComparison.Ordinal);
            }

            // Refused without a word: no bytes, then the end or a reset.
            using (var oneMore = await ConnectAsync(server.Admin))
            {
                Assert.Equal("", await AnswerAsync(oneMore, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"));
            }

            held[0].Dispose();
            var deadline = DateTime.UtcNow + Wait.Limit;
            while (!(await AskAsync(server.Admin, Get("/readyz", "localhost"))).StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal))
            {
                Assert.True(DateTime.UtcNow < deadline, "no room has come back");
                await Task.Delay(50);
            }
        }
        finally
        {
            held.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task Requests_ThatAreSlow_AreCut()
    {
        await using var server = await StartAsync($$""" "Admin": { "Address": "127.0.0.1:0", "Token": "{{Token}}" }, """);
        using var head = await ConnectAsync(server.Admin);
        using var body = await ConnectAsync(server.Admin);
        var answers = await Task.WhenAll(
            AnswerAsync(head, "GET /readyz HTTP/1.1\r\nHost: loc"),
            AnswerAsync(body, $"POST {Destination} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {Token}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n" + "{"));
        Assert.All(answers, answer => Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 408 ", StringComparison.Ordinal), answer));
        Assert.StartsWith("HTTP/1.1 200 ", await AskAsync(server.Admin, Get("/readyz", "localhost")), StringComparison.Ordinal);
    }

    private static async Task AssertProblemAsync(HttpClient client, string method, string path, string? body, string? token, int status)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(status == (int)response.StatusCode, $"{method} {path}: {response.StatusCode} instead of {status}: {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        using var problem = JsonDocument.Parse(text);
        Assert.Equal(status, problem.RootElement.GetProperty("status").GetInt32());
        Assert.NotEmpty(problem.RootElement.GetProperty("title").GetString()!);
        Assert.NotEmpty(problem.RootElement.GetProperty("detail").GetString()!);
    }

    private static string Get(string path, string host) => $"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n";

    private static HttpClient Client(ServerProcess server) => new() { BaseAddress = new Uri($"http://{server.Admin}") };

    private static async Task<Socket> ConnectAsync(EndPoint port)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(port);
        return socket;
    }

    private static async Task<string> AskAsync(EndPoint port, string request)
    {
        using var socket = await ConnectAsync(port);
        return await AnswerAsync(socket, request);
    }

    /// <summary>The first bytes that come back; empty = the connection ends without one.</summary>
    private static async Task<string> AnswerAsync(Socket socket, string request)
    {
        using var limit = new CancellationTokenSource(Wait.Limit);
        var buffer = new byte[64 * 1024];
        var length = 0;
        try
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes(request), limit.Token);

            // Headers and, as they are written apart, the beginning of a body.
            while (await socket.ReceiveAsync(buffer.AsMemory(length), limit.Token) is > 0 and var read)
            {
                length += read;
                if (length == buffer.Length || !request.Contains("Connection: close", StringComparison.Ordinal))
                {
                    break;
                }
            }
        }
        catch (SocketException)
        {
            // Reset.
        }

        return Encoding.ASCII.GetString(buffer, 0, length);
    }

    private Task<ServerProcess> StartAsync(string admin)
        => ServerProcess.StartAsync(new ServerOptions { ConfigPath = _folder.Write("appsettings.json", ServerConfig.OneRoute(_upstream.EndPoint, admin)) });
}
