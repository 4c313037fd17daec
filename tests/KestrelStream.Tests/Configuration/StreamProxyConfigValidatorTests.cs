using KestrelStream.Configuration;
using KestrelStream.Configuration.Validation;
using Xunit;

namespace KestrelStream.Tests.Configuration;

/// <summary>What goldens cannot say: configurations built in code, hooks, scale.</summary>
public class StreamProxyConfigValidatorTests
{
    [Fact]
    public void Validate_IdsThatDifferInCase_AreErrorsInEveryMap()
    {
        var config = Valid() with
        {
            Listeners = Map(("l", new ListenerConfig { Address = "127.0.0.1:0" }), ("L", new ListenerConfig { Address = "127.0.0.1:0" })),
            Certificates = Map(("s", new CertificateConfig { Path = "a" }), ("S", new CertificateConfig { Path = "b" })),
            Clusters = Map(("c", Cluster("10.0.0.1:1", "10.0.0.2:1")), ("C", Cluster("10.0.0.1:1"))),
        };
        config = config with { Routes = Map(("r", config.Routes["r"]), ("R", new RouteConfig { ClusterId = "c" })) };

        var paths = Validate(config).Errors.Where(error => error.Message.Contains("is there twice", StringComparison.Ordinal)).Select(error => error.Path.ToUpperInvariant());

        Assert.Equal(["STREAMPROXY:LISTENERS:L", "STREAMPROXY:CERTIFICATES:S", "STREAMPROXY:CLUSTERS:C", "STREAMPROXY:ROUTES:R"], paths);
    }

    [Fact]
    public void Validate_MapsThatMindCase_ReferencesAndResultIgnoreIt()
    {
        var config = Valid() with { Routes = Map(("r", new RouteConfig { ClusterId = "C", Listeners = ["L"] })) };

        var result = Validate(config);

        Assert.Empty(result.Errors);
        Assert.True(result.Config.Clusters.ContainsKey("C"));
        Assert.True(result.Config.Clusters["C"].Destinations.ContainsKey("D0"));
        Assert.True(result.Config.Routes.ContainsKey("R"));
        Assert.True(result.Config.Listeners.ContainsKey("L"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\nb")]
    public void Validate_IdThatIsNone_IsError(string id)
    {
        var config = Valid();
        config = config with { Clusters = Map(("c", config.Clusters["c"]), (id, config.Clusters["c"])) };

        var error = Assert.Single(Validate(config).Errors);

        Assert.Equal($"StreamProxy:Clusters:{id}", error.Path);
        Assert.Contains("is not an id", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_ErrorsOfReading_ComeFirstAndSilenceWhatTheyCaused()
    {
        var readErrors = new[] { new ConfigError("StreamProxy:Listeners:l:Address", "unreadable"), new ConfigError("StreamProxy:Clusters", "unreadable") };
        var config = Valid() with { Listeners = Map(("l", new ListenerConfig())), Clusters = ConfigMap.Empty<ClusterConfig>(), EventLoops = 0 };

        var errors = new StreamProxyConfigValidator(TestHooks.Default).Validate(new ConfigResult(config, readErrors)).Errors;

        Assert.Equal(["StreamProxy:Listeners:l:Address", "StreamProxy:Clusters", "StreamProxy:EventLoops"], errors.Select(error => error.Path));
    }

    [Theory]
    [InlineData("/etc/app/appsettings.json")]
    [InlineData("StreamProxy")]
    public void Validate_NothingCouldBeRead_NothingElseIsSaid(string path)
    {
        var read = new ConfigResult(new StreamProxyConfig(), [new ConfigError(path, "unreadable")]);

        Assert.Equal(read.Errors, new StreamProxyConfigValidator(TestHooks.Default).Validate(read).Errors);
    }

    [Fact]
    public void Validate_OrderOfKeys_DoesNotChangeTheErrors()
    {
        var routes = Enumerable.Range(0, 40).Select(i => ($"r{i}", new RouteConfig { ClusterId = i % 3 == 0 ? "none" : "c", Match = new RouteMatch { Sni = [$"n{i / 2}.example.com"] } })).ToArray();
        var random = new Random(7);
        string[]? first = null;
        for (var round = 0; round < 20; round++)
        {
            random.Shuffle(routes);
            var errors = Validate(Valid() with { Routes = Map(routes) }).Errors.Select(error => error.ToString()).ToArray();
            Assert.Equal(first ??= errors, errors);
        }

        Assert.Equal(20 + 14, first!.Length);
    }

    [Fact]
    public void Validate_PolicyAndEngine_AreAskedOfTheHooks()
    {
        var config = Valid() with { Engine = EngineKind.EventLoop };
        config = config with { Clusters = Map(("c", config.Clusters["c"] with { LoadBalancingPolicy = "MINE" })) };
        var hooks = new ValidationHooks(["Mine"], _ => null, _ => true, _ => true, () => true, () => null);

        Assert.Empty(new StreamProxyConfigValidator(hooks).Validate(new ConfigResult(config, [])).Errors);
        Assert.Equal(2, Validate(config).Errors.Count);
    }

    [Theory]
    [InlineData("127.0.0.1:0", "127.0.0.1:0", false)]
    [InlineData("*:443", "*:0", false)]
    [InlineData("*:443", "127.0.0.1:443", true)]
    [InlineData("*:443", "[::1]:443", true)]
    [InlineData("*:443", "localhost:443", true)]
    [InlineData("*:443", "0.0.0.0:443", true)]
    [InlineData("*:443", "*:444", false)]
    [InlineData("*:443", "unix:/443", false)]
    [InlineData("0.0.0.0:443", "10.0.0.1:443", true)]
    [InlineData("0.0.0.0:443", "[::ffff:10.0.0.1]:443", true)]
    [InlineData("0.0.0.0:443", "localhost:443", true)]
    [InlineData("0.0.0.0:443", "[::1]:443", false)]
    [InlineData("0.0.0.0:443", "[::]:443", true)]
    [InlineData("[::]:443", "10.0.0.1:443", true)]
    [InlineData("[::]:443", "[2001:db8::1]:443", true)]
    [InlineData("localhost:443", "127.0.0.1:443", true)]
    [InlineData("localhost:443", "[::1]:443", true)]
    [InlineData("localhost:443", "localhost:443", true)]
    [InlineData("localhost:443", "127.0.0.2:443", false)]
    [InlineData("10.0.0.1:443", "[::ffff:10.0.0.1]:443", true)]
    [InlineData("10.0.0.1:443", "10.0.0.2:443", false)]
    [InlineData("[2001:db8::1]:443", "[2001:DB8:0::1]:443", true)]
    [InlineData("unix:/a", "unix:/a", true)]
    [InlineData("unix:/a", "unix:/b", false)]
    public void Conflict_TwoAddresses_IsSoBothWaysRound(string a, string b, bool expected)
    {
        Assert.True(ProxyAddress.TryParseListen(a, out var first));
        Assert.True(ProxyAddress.TryParseListen(b, out var second));

        Assert.Equal(expected, ListenAddress.Conflict(first!, second!));
        Assert.Equal(expected, ListenAddress.Conflict(second!, first!));
    }

    [Fact]
    public void Validate_ManyIds_ErrorListsTheFirstOnesOnly()
    {
        var config = Valid();
        config = config with
        {
            Clusters = Map([.. Enumerable.Range(0, 1500).Select(i => ($"c{i:d4}", config.Clusters["c"]))]),
        };

        var error = Assert.Single(Validate(config).Errors);

        Assert.StartsWith("\"c\" is not a cluster; valid: c0000, c0001,", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("c0019, … (1,500 in all)", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Adress", "Address")]
    [InlineData("clusterid", "ClusterId")]
    [InlineData("Cluster", "ClusterId")]
    [InlineData("X", null)]
    [InlineData("Somewhere", null)]
    public void Nearest_MistypedKey_FindsItOrNothing(string word, string? expected)
        => Assert.Equal(expected, Spelling.Nearest(word, ["Address", "ClusterId", "Order", "Tls"]));

    private static ConfigResult Validate(StreamProxyConfig config)
        => new StreamProxyConfigValidator(TestHooks.Default).Validate(new ConfigResult(config, []));

    private static StreamProxyConfig Valid() => new()
    {
        Listeners = Map(("l", new ListenerConfig { Address = "127.0.0.1:0" })),
        Routes = Map(("r", new RouteConfig { ClusterId = "c" })),
        Clusters = Map(("c", Cluster("10.0.0.1:443"))),
    };

    private static ClusterConfig Cluster(params string[] addresses)
        => new() { Destinations = Map([.. addresses.Select((address, i) => ($"d{i}", new DestinationConfig { Address = address }))]) };

    /// <summary>A dictionary that minds case, as code may bring it.</summary>
    private static Dictionary<string, T> Map<T>(params (string Id, T Item)[] items) => items.ToDictionary(item => item.Id, item => item.Item);
}
