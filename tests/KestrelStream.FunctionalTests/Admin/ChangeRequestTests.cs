using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelStream.FunctionalTests.Admin;

/// <summary>Who may change things, and what requests are refused.</summary>
public sealed class ChangeRequestTests
{
    public static TheoryData<string, string> Changes => new()
    {
        { "POST", "/api/clusters/c/destinations/a" },
        { "DELETE", "/api/clusters/c/destinations/a" },
        { "POST", "/api/clusters/c/destinations" },
        { "PUT", "/api/clusters/c/destinations" },
        { "DELETE", "/api/sessions?cluster=c" },
        { "DELETE", "/api/sessions/1" },
        { "POST", "/api/config/rollback" },
        { "POST", "/api/clusters/none/destinations/none" },
    };

    public static TheoryData<string, string, string> BadBodies => new()
    {
        { "a", "", "Not JSON" },
        { "a", "{", "Not JSON" },
        { "a", "[]", "Not JSON" },
        { "a", "null", "Not JSON" },
        { "a", """{"state":"drain","state":"ready"}""", "Not JSON" },
        { "a", """{"state":{"a":{"b":{"c":{"d":1}}}}}""", "Not JSON" },
        { "a", "{}", "nothing is to be changed" },
        { "a", """{"state":null}""", "nothing is to be changed" },
        { "a", """{"state":"drained"}""", "valid: ready, drain, maintenance" },
        { "a", """{"state":1}""", "valid: ready, drain, maintenance" },
        { "a", """{"state":["drain"]}""", "valid: ready, drain, maintenance" },
        { "a", """{"health":"1"}""", "valid: auto, up, down" },
        { "a", """{"weight":"3"}""", "valid: a whole number" },
        { "a", """{"weight":1.5}""", "valid: a whole number" },
        { "a", """{"weight":99999999999}""", "valid: a whole number" },
        { "a", """{"weight":65536}""", "65536 is out of range; valid: 0 to 65535" },
        { "a", """{"weight":-1}""", "-1 is out of range; valid: 0 to 65535" },
        { "a", """{"wieght":1}""", "did you mean \"weight\"?" },
        { "", """{"address":"127.0.0.1:1"}""", "is missing or empty; valid: text" },
        { "", """{"id":"a:b","address":"127.0.0.1:1"}""", "is not an id" },
        { "", """{"id":"x\n","address":"127.0.0.1:1"}""", "is not an id" },
        { "", """{"id":"x"}""", "is missing or empty; valid: ip:port" },
        { "", """{"id":"x","address":"nonsense"}""", "is not an address to dial" },
        { "", """{"id":"x","address":"127.0.0.1:1","backup":"yes"}""", "valid: true, false" },
        { "", """{"id":"x","address":"127.0.0.1:1","max_connections":0}""", "0 is out of range; valid: 1 or more" },
        { "", """{"id":"x","address":"127.0.0.1:1","health":"here"}""", "is not an address to dial" },
        { "", """{"id":"x","address":"127.0.0.1:1","state":"drain"}""", "unknown key" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task Change_WithoutTheToken_IsDeniedAndLogged(string method, string path)
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Auto, "a");
        var headers = new[]
        {
            null, "Bearer", "Bearer ", "Bearer wrong", $"Bearer {AdminPort.Token}x", $"Bearer {AdminPort.Token[..^1]}", $"Basic {AdminPort.Token}", AdminPort.Token,
            $"Bearer {AdminPort.Token.ToUpperInvariant()}",
        };
        foreach (var header in headers)
        {
            using var response = await SendAsync(pool, method, path, header);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.StartsWith("Bearer realm=\"kestrelstream\"", response.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
            Assert.Equal(header is not null, response.Headers.WwwAuthenticate.ToString().Contains("invalid_token", StringComparison.Ordinal));
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
            Assert.DoesNotContain(AdminPort.Token, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        Assert.Equal(headers.Length, pool.Proxy.Log.Events.Count(logged => logged.Id == EventIds.ChangeDenied));
        Assert.All(pool.Proxy.Log.Events, logged => Assert.DoesNotContain(AdminPort.Token, logged.Message, StringComparison.Ordinal));
        Assert.Equal("ready", (await pool.Admin.DestinationAsync("a")).GetProperty("state").GetString());
        Assert.Contains("result=\"denied\"} 9", await pool.Admin.Client.GetStringAsync("/metrics"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task Change_NoTokenConfigured_IsForbiddenAndSaysWhy(string method, string path)
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Auto, "a", everything: config => config with { Admin = null });
        foreach (var header in new[] { null, "Bearer ", $"Bearer {AdminPort.Token}" })
        {
            using var response = await SendAsync(pool, method, path, header);
            Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
            Assert.Contains("Admin:Token", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Token_Reloaded_TheOldOneIsBad()
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Auto, "a");
        await pool.Admin.SetAsync("a", """{"weight":2}""");
        Assert.True((await pool.Proxy.ReloadAsync(pool.Config with { Admin = new AdminConfig { Token = "short" } })).IsApplied);
        Assert.Equal(HttpStatusCode.Unauthorized, (await pool.Admin.SendAsync("POST", "/api/clusters/c/destinations/a", """{"weight":3}""")).Status);
        using var response = await SendAsync(pool, "POST", "/api/config/rollback", "bearer  short");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);

        // Going back does not bring a token back.
        Assert.Equal(HttpStatusCode.Unauthorized, (await pool.Admin.SendAsync("POST", "/api/clusters/c/destinations/a", """{"weight":3}""")).Status);
        Assert.Contains(pool.Proxy.Log.Events, logged => logged.Id == EventIds.WeakToken);
    }

    [Theory]
    [MemberData(nameof(BadBodies))]
    public async Task Body_Bad_IsRefusedAndChangesNothing(string destination, string json, string problem)
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Auto, "a");
        var (status, body) = await pool.Admin.SendAsync("POST", $"/api/clusters/c/destinations{(destination.Length > 0 ? "/" : "")}{destination}", json);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(problem, Regex(body), StringComparison.Ordinal);
        Assert.Equal("[]", (await pool.Admin.GetAsync("/api/config/diff")).GetRawText());
        Assert.Contains("result=\"rejected\"} 1", await pool.Admin.Client.GetStringAsync("/metrics"), StringComparison.Ordinal);

        static string Regex(JsonElement body) => string.Join('\n', body.EnumerateObject().Select(property => property.Value.ValueKind == JsonValueKind.Array
            ? string.Join('\n', property.Value.EnumerateArray().Select(error => $"{error.GetProperty("path")}: {error.GetProperty("message")}"))
            : property.Value.ToString()));
    }

    [Fact]
    public async Task Body_ManyMistakes_AreAllTold()
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Auto, "a");
        var (_, body) = await pool.Admin.SendAsync("POST", "/api/clusters/c/destinations", """{"id":5,"weight":"x","backup":1,"more":true,"most":null}""");
        Assert.Equal(["id", "weight", "backup", "more", "most"], body.GetProperty("errors").EnumerateArray().Select(error => error.GetProperty("path").GetString()));
        (_, body) = await pool.Admin.SendAsync("POST", "/api/clusters/c/destinations", """{"id":"x","address":"no","weight":-1,"max_connections":0}""");
        Assert.Equal(
            ["Address", "Weight", "MaxConnections"],
            body.GetProperty("errors").EnumerateArray().Select(error => error.GetProperty("path").GetString()!["StreamProxy:Clusters:c:Destinations:x:".Length..]));
    }

    [Theory]
    [InlineData("POST", "/api/clusters/none/destinations/a", "{\"weight\":1}", 404)]
    [InlineData("POST", "/api/clusters/c/destinations/none", "{\"weight\":1}", 404)]
    [InlineData("DELETE", "/api/clusters/c/destinations/none", null, 404)]
    [InlineData("DELETE", "/api/clusters/none/destinations/a", null, 404)]
    [InlineData("POST", "/api/clusters/none/destinations", "{\"id\":\"x\",\"address\":\"127.0.0.1:1\"}", 404)]
    [InlineData("POST", "/api/clusters/c/destinations", "{\"id\":\"A\",\"address\":\"127.0.0.1:1\"}", 409)]
    [InlineData("DELETE", "/api/sessions/none", null, 404)]
    [InlineData("DELETE", "/api/sessions/ffffffffffffffffffff", null, 404)]
    [InlineData("DELETE", "/api/sessions/-1", null, 404)]
    [InlineData("GET", "/api/sessions/1", null, 404)]
    [InlineData("GET", "/api/sessions?route=", null, 400)]
    [InlineData("POST", "/api/config/rollback", null, 409)]
    public async Task Change_OfWhatIsNotThere_IsAProblem(string method, string path, string? json, int expected)
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Auto, "a");
        var (status, body) = await pool.Admin.SendAsync(method, path, json);
        Assert.Equal(expected, (int)status);
        Assert.Equal(expected, body.GetProperty("status").GetInt32());
    }

    [Fact]
    public async Task Body_SameAddressAsAnother_NamesIt()
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Auto, "a");
        var (status, body) = await pool.Admin.SendAsync("POST", "/api/clusters/c/destinations", $$"""{"id":"x","address":"{{pool.Address('a', "a")}}"}""");
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("is the address of destination \"a\" too", body.GetProperty("errors")[0].GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("text/plain")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData(null)]
    public async Task Body_OfAForm_IsRefused(string? type)
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Auto, "a");
        foreach (var path in new[] { "/api/clusters/c/destinations/a", "/api/clusters/c/destinations", "/api/config/rollback" })
        {
            using var response = await SendAsync(pool, "POST", path, $"Bearer {AdminPort.Token}", """{"state":"drain"}""", type);
            Assert.Equal(type is null && path.EndsWith("rollback", StringComparison.Ordinal) ? HttpStatusCode.Conflict : HttpStatusCode.UnsupportedMediaType, response.StatusCode);
        }
    }

    [Fact]
    public async Task Body_TooLarge_IsRefused()
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Auto, "a");
        var json = $$"""{"state":"drain","x":"{{new string('x', 20_000)}}"}""";
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await pool.Admin.SendAsync("POST", "/api/clusters/c/destinations/a", json)).Status);

        // Without a length said beforehand.
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/clusters/c/destinations/a") { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        request.Headers.TransferEncodingChunked = true;
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", AdminPort.Token);
        using var response = await pool.Admin.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("ready", (await pool.Admin.DestinationAsync("a")).GetProperty("state").GetString());
    }

    [Fact]
    public async Task Change_Applied_IsLoggedAndCounted()
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Auto, "ab");
        await pool.Admin.SetAsync("A", """{"state":"Drain","weight":3}""");
        var line = Assert.Single(pool.Proxy.Log.Events, logged => logged.Id == EventIds.OperatorChange).Message;
        var address = pool.Address('a', "ab");
        Assert.Matches($@"^API: 127\.0\.0\.1:\d+ DestinationSet c/a: {address} state=Ready health=Auto weight=1 -> {address} state=Drain health=Auto weight=3$", line);

        var metrics = await pool.Admin.Client.GetStringAsync("/metrics");
        foreach (var sample in new[]
        {
            """kestrelstream_admin_changes_total{change="destination_set",result="applied"} 1""",
            """kestrelstream_destination_state{cluster="c",destination="a",state="ready"} 0""",
            """kestrelstream_destination_state{cluster="c",destination="a",state="drain"} 1""",
            """kestrelstream_destination_state{cluster="c",destination="a",state="maintenance"} 0""",
            """kestrelstream_destination_state{cluster="c",destination="b",state="ready"} 1""",
            """kestrelstream_destination_weight{cluster="c",destination="a"} 3""",
            """kestrelstream_destination_up{cluster="c",destination="a"} 1""",
        })
        {
            Assert.Contains(sample + "\n", metrics, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task App_HostsTheLibrary_TokenComesFromItsConfiguration()
    {
        await using var upstream = ScriptedUpstream.Echo();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["StreamProxy:Admin:Token"] = AdminPort.Token,
            ["StreamProxy:Listeners:public:Address"] = "127.0.0.1:0",
            ["StreamProxy:Routes:all:ClusterId"] = "c",
            ["StreamProxy:Clusters:c:Destinations:a:Address"] = upstream.EndPoint.ToString(),
        });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddStreamProxy().LoadFromConfig(builder.Configuration.GetSection("StreamProxy"));
        await using var app = builder.Build();
        app.MapGroup("/proxy").MapStreamProxyAdmin();
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", AdminPort.Token);

        using var response = await client.PostAsync("/proxy/api/clusters/c/destinations/a", new StringContent("""{"state":"drain"}""", Encoding.UTF8, "application/json"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(
            $$"""{"id":"a","address":"{{upstream.EndPoint}}","state":"drain","health":"auto","weight":1,"backup":false,"max_connections":null}""",
            await response.Content.ReadAsStringAsync());
        await app.StopAsync();
    }

    private static Task<HttpResponseMessage> SendAsync(
        LivePool pool, string method, string path, string? authorization, string json = """{"state":"drain"}""", string? type = "application/json")
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (method != "DELETE")
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(json));
            request.Content.Headers.ContentType = type is null ? null : MediaTypeHeaderValue.Parse(type);
        }

        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }

        return pool.Admin.Client.SendAsync(request);
    }
}
