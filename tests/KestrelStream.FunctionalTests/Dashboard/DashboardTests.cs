using KestrelStream.Configuration;
using KestrelStream.FunctionalTests.Admin;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;
using Xunit.Abstractions;

namespace KestrelStream.FunctionalTests.Dashboard;

/// <summary>The page in headless Chromium. What is checked stands in <c>tests/dashboard</c>; its pictures go to <c>TestResults/dashboard</c>.</summary>
public sealed class DashboardTests(ITestOutputHelper output)
{
    private const int ManyMembers = 1000;

    [Fact]
    public async Task Dashboard_InABrowser_ShowsAndDoesWhatItSays()
    {
        using var folder = new TempFolder();
        await using var traffic = new DashboardTraffic(backends: 5);
        await using var server = await ServerProcess.StartAsync(new ServerOptions { ConfigPath = folder.Write("appsettings.json", Config(folder, traffic)) });
        traffic.Start(server.Listener("public"), "shop.example.com", "shop.example.com", "api.example.com", "old.example.com", "nobody.example.net");
        traffic.Start(server.Listener("database"), "db.example.com");
        await using var proxy = await ProxyEnvironment.StartAsync(ManyMembersConfig());
        await using var prefixed = await AdminPort.StartAsync(proxy, "/tools/proxy");

        var pictures = RepositoryFolder.Combine("TestResults", "dashboard");
        var result = await RunAsync($"http://{server.Admin}/", pictures, new Uri(prefixed.Client.BaseAddress!, "/tools/proxy/").ToString());

        output.WriteLine(result.Output);
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        KeepForTheDocuments(Path.Combine(pictures, "dashboard.png"));
    }

    private static Task<ProcessResult> RunAsync(string url, string pictures, string prefixed)
    {
        var script = RepositoryFolder.Combine("tests", "dashboard", "dashboard.mjs");
        if (!Directory.Exists(RepositoryFolder.Combine("tests", "dashboard", "node_modules")))
        {
            throw new PeerMissingException("playwright-core", "npm ci in tests/dashboard");
        }

        var environment = new Dictionary<string, string?> { ["CHROMIUM"] = PeerProgram.Find("chromium", "chromium") };
        return ChildProcess.RunAsync(
            PeerProgram.Find("node", "nodejs"), [script, url, AdminPort.Token, pictures, prefixed], environment: environment, within: TimeSpan.FromMinutes(3));
    }

    /// <summary>The picture of the documentation is made like the goldens: on request.</summary>
    private static void KeepForTheDocuments(string picture)
    {
        Assert.InRange(new FileInfo(picture).Length, 1, 300 * 1024);
        if (Environment.GetEnvironmentVariable("KESTRELSTREAM_UPDATE_GOLDENS") == "1")
        {
            Directory.CreateDirectory(RepositoryFolder.Combine("docs", "images"));
            File.Copy(picture, RepositoryFolder.Combine("docs", "images", "dashboard.png"), overwrite: true);
        }
    }

    private static StreamProxyConfig ManyMembersConfig() => ProxyEnvironment.OneRoute(EngineKind.Auto, ScriptedUpstream.Nobody()) with
    {
        Admin = new AdminConfig { Token = AdminPort.Token },
        Clusters = new Dictionary<string, ClusterConfig>
        {
            ["c"] = new()
            {
                Destinations = Enumerable.Range(1, ManyMembers).ToDictionary(i => $"node-{i:0000}", i => new DestinationConfig { Address = $"127.1.{i / 250}.{i % 250 + 1}:9" }),
            },
        },
    };

    private static string Config(TempFolder folder, DashboardTraffic traffic)
    {
        var certificate = TestCertificates.Shared.Issue("www.example.com", "*.example.com");
        folder.Write("www.pem", certificate.ChainPem);
        folder.Write("www.key", certificate.KeyPem);
        const string Check = """ "HealthCheck": { "Active": { "Interval": "00:00:01" } } """;
        return $$"""
            {
              "StreamProxy": {
                "Admin": { "Address": "127.0.0.1:0", "Token": "{{AdminPort.Token}}", "RefusedBytes": 96 },
                "Listeners": { "public": { "Address": "127.0.0.1:0" }, "database": { "Address": "127.0.0.1:0", "MaxConnections": 500 } },
                "Certificates": { "www": { "Path": "www.pem", "KeyPath": "www.key" } },
                "Routes": {
                  "shop": { "Listeners": ["public"], "Match": { "Sni": ["shop.example.com", "*.shop.example.com"] }, "ClusterId": "shop" },
                  "api": { "Listeners": ["public"], "Match": { "Sni": ["api.example.com"] }, "ClusterId": "api" },
                  "www": { "Listeners": ["public"], "Match": { "Sni": ["www.example.com"] }, "Tls": { "Mode": "Terminate", "Certificates": ["www"] }, "ClusterId": "api" },
                  "retired": { "Listeners": ["public"], "Match": { "Sni": ["old.example.com"] }, "Action": "Reject" },
                  "postgres": { "Listeners": ["database"], "ClusterId": "postgres" }
                },
                "Clusters": {
                  "shop": { "LoadBalancingPolicy": "LeastConnections", {{Check}}, "Destinations": {
                    "web-1": { "Address": "{{traffic.Backend(0)}}" }, "web-2": { "Address": "{{traffic.Backend(1)}}" }, "web-3": { "Address": "{{ScriptedUpstream.Nobody()}}" } } },
                  "api": { {{Check}}, "Destinations": { "api-1": { "Address": "{{traffic.Backend(2)}}" }, "api-2": { "Address": "{{traffic.Backend(3)}}", "Backup": true } } },
                  "postgres": { {{Check}}, "Queue": { "MaxLength": 50 }, "Destinations": { "pg-1": { "Address": "{{traffic.Backend(4)}}", "MaxConnections": 100 } } }
                }
              }
            }
            """;
    }
}
