using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using KestrelStream.FunctionalTests.Server;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Monitoring;

/// <summary>The running program in the eyes of Prometheus: its own lint, its own server, and what deploy/ has for it.</summary>
public sealed partial class PrometheusTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Echo();
    private ServerProcess? _server;

    private ServerProcess Server => _server!;

    public async Task InitializeAsync()
    {
        var config = ServerConfig.OneRoute(_upstream.EndPoint, """ "Admin": { "Address": "127.0.0.1:0" }, "Metrics": { "TopNames": 10 }, """)
            .Replace("\"all\": { \"ClusterId\": \"c\" }", "\"all\": { \"Match\": { \"Sni\": [\"a.example.com\"] }, \"ClusterId\": \"c\" }", StringComparison.Ordinal);
        _server = await ServerProcess.StartAsync(new ServerOptions { ConfigPath = _folder.Write("appsettings.json", config) });
        foreach (var first in new[] { Hello("a.example.com"), Hello("a.example.com"), Hello("b.example.com"), "GET / HTTP/1.1\r\n\r\n"u8.ToArray(), [22, 3, 1, 0, 0] })
        {
            await SendAsync(first);
        }
    }

    public async Task DisposeAsync()
    {
        await Server.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Scrape_PromtoolCheckMetrics_FindsNothing()
    {
        await using var promtool = ChildProcess.Start(PeerProgram.Find("promtool", "prometheus"), ["check", "metrics"]);
        await promtool.WriteInputAsync(System.Text.Encoding.UTF8.GetBytes(await ScrapeAsync()), close: true);
        var result = await promtool.WaitForResultAsync(Wait.Limit);
        Assert.True(result is { ExitCode: 0, Output: "", Error: "" }, result.ToString());
    }

    [Fact]
    public async Task Scrape_FirstBytes_AreCountedByWhatBecameOfThem()
    {
        var text = await PollAsync(async () => await ScrapeAsync() is { } scrape && scrape.Contains("error=\"record_empty\"", StringComparison.Ordinal) ? scrape : null);
        Assert.Contains("kestrelstream_prereads_total{listener=\"public\",result=\"hello\"} 2\n", text, StringComparison.Ordinal);
        Assert.Contains("kestrelstream_prereads_total{listener=\"public\",result=\"no_route\"} 2\n", text, StringComparison.Ordinal);
        Assert.Contains("kestrelstream_prereads_total{listener=\"public\",result=\"malformed\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("kestrelstream_malformed_hellos_total{listener=\"public\",error=\"record_empty\"} 1\n", text, StringComparison.Ordinal);
        Assert.Matches("kestrelstream_name_sessions_total\\{sni=\"other\"\\} [1-9]", text);
        Assert.Matches("process_open_fds [1-9]", text);
        Assert.Matches("kestrelstream_build_info\\{version=\"[0-9.]+\",runtime=\"\\.NET 10[^\"]*\",architecture=\"[a-z0-9]+\"\\} 1\n", text);
    }

    [Fact]
    public async Task Prometheus_Scrapes_AndKnowsItsSessions()
    {
        var port = LoopbackPort.Take();
        var config = _folder.Write("prometheus.yml", $$"""
            global: { scrape_interval: 1s, scrape_timeout: 1s }
            scrape_configs: [ { job_name: kestrelstream, static_configs: [ { targets: [ "{{Server.Admin}}" ] } ] } ]
            """);
        await using var prometheus = ChildProcess.Start(
            PeerProgram.Find("prometheus", "prometheus"),
            [$"--config.file={config}", $"--storage.tsdb.path={_folder["tsdb"]}", $"--web.listen-address=127.0.0.1:{port}"]);
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };

        Assert.Equal("2", await PollAsync(() => QueryAsync(client, "sum(kestrelstream_sessions_total{route=\"all\"})")));
        Assert.Equal("1", await PollAsync(() => QueryAsync(client, "up{job=\"kestrelstream\"}")));
    }

    [Fact]
    public async Task Rules_PromtoolTestRules_Pass()
    {
        foreach (var arguments in new string[][] { ["check", "rules", "kestrelstream.rules.yml"], ["test", "rules", "kestrelstream.rules.test.yml"], ["check", "config", "--syntax-only", "prometheus.yml"] })
        {
            await using var promtool = ChildProcess.Start(PeerProgram.Find("promtool", "prometheus"), arguments, folder: RepositoryFolder.Combine("deploy", "prometheus"));
            var result = await promtool.WaitForResultAsync(Wait.Limit);
            Assert.True(result.ExitCode == 0, result.ToString());
        }
    }

    [Theory]
    [InlineData("deploy/grafana/kestrelstream.json")]
    [InlineData("deploy/prometheus/kestrelstream.rules.yml")]
    public async Task Deployed_EveryMetricInUse_IsOneThatIsExported(string file)
    {
        var exported = TypeLine().Matches(await ScrapeAsync()).Select(match => match.Groups[1].Value).ToHashSet();
        var used = MetricName().Matches(File.ReadAllText(RepositoryFolder.Combine(file))).Select(match => match.Value).Distinct().ToList();
        Assert.NotEmpty(used);
        Assert.All(used, name => Assert.Contains(name.EndsWith("_bucket", StringComparison.Ordinal) ? name[..^"_bucket".Length] : name, exported));
    }

    [Fact]
    public void Dashboard_Json_HasPanelsThatDoNotOverlap()
    {
        using var dashboard = JsonDocument.Parse(File.ReadAllText(RepositoryFolder.Combine("deploy", "grafana", "kestrelstream.json")));
        var cells = new HashSet<(int, int)>();
        foreach (var panel in dashboard.RootElement.GetProperty("panels").EnumerateArray().Select(panel => panel.GetProperty("gridPos")))
        {
            var (x, y) = (panel.GetProperty("x").GetInt32(), panel.GetProperty("y").GetInt32());
            for (var cell = 0; cell < panel.GetProperty("w").GetInt32() * panel.GetProperty("h").GetInt32(); cell++)
            {
                Assert.True(cells.Add((x + (cell % panel.GetProperty("w").GetInt32()), y + (cell / panel.GetProperty("w").GetInt32()))));
            }
        }
    }

    private static byte[] Hello(string name) => new ClientHelloBuilder().WithServerName(name).Build();

    private static async Task<string> PollAsync(Func<Task<string?>> ask)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        while (watch.Elapsed < Wait.Limit)
        {
            if (await ask() is { } answer)
            {
                return answer;
            }

            await Task.Delay(100);
        }

        throw new TimeoutException($"Waited {Wait.Limit}.");
    }

    private static async Task<string?> QueryAsync(HttpClient client, string query)
    {
        try
        {
            using var answer = JsonDocument.Parse(await client.GetStringAsync($"/api/v1/query?query={Uri.EscapeDataString(query)}"));
            return answer.RootElement.GetProperty("data").GetProperty("result").EnumerateArray().FirstOrDefault() is { ValueKind: JsonValueKind.Object } result
                ? result.GetProperty("value")[1].GetString()
                : null;
        }
        catch (HttpRequestException)
        {
            // It is still starting.
            return null;
        }
    }

    private async Task<string> ScrapeAsync()
    {
        using var client = new HttpClient();
        return await client.GetStringAsync($"http://{Server.Admin}/metrics");
    }

    /// <summary>Sends and waits for the end.</summary>
    private async Task SendAsync(byte[] first)
    {
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(Server.Listener("public"));
        await client.SendAllAsync(first);
        client.Shutdown(SocketShutdown.Send);
        try
        {
            await client.ReceiveToEndAsync();
        }
        catch (SocketException)
        {
            // A refusal may end with a reset.
        }
    }

    [GeneratedRegex("^# TYPE (\\S+) ", RegexOptions.Multiline)]
    private static partial Regex TypeLine();

    [GeneratedRegex("\\b(?:kestrelstream|process|dotnet)_[a-z_]+(?=[{\\[ )\\\\,]|$)", RegexOptions.Multiline)]
    private static partial Regex MetricName();
}
