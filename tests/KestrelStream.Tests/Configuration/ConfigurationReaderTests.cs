using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Configuration.Validation;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace KestrelStream.Tests.Configuration;

public class ConfigurationReaderTests
{
    private const string BaseFile = """
        { "StreamProxy": {
            "Listeners": { "public": { "Address": "127.0.0.1:443", "Backlog": 5 } },
            "Routes": { "app1": { "Match": { "Sni": ["a.example.com", "b.example.com"] }, "ClusterId": "c" } },
            "Clusters": { "c": { "Destinations": { "a": { "Address": "10.0.0.1:443" } } } } } }
        """;

    [Fact]
    public void Read_SecondSourceOverridesValue_LastOneWins()
    {
        var result = Read(BaseFile, """{ "streamproxy": { "listeners": { "PUBLIC": { "backlog": 9 } } } }""");

        Assert.Empty(result.Errors);
        Assert.Equal(9, Assert.Single(result.Config.Listeners).Value.Backlog);
    }

    [Fact]
    public void Read_SecondSourceSetsNull_ChildrenOfTheFirstStay()
    {
        var result = Read(BaseFile, """{ "StreamProxy": { "Listeners": null, "Routes": { "app1": { "Match": {} } } } }""");

        Assert.Empty(result.Errors);
        Assert.Equal("127.0.0.1:443", result.Config.Listeners["public"].Address);
        Assert.Equal(["a.example.com", "b.example.com"], result.Config.Routes["app1"].Match.Sni);
    }

    [Fact]
    public void Read_SecondSourceSetsEmptyList_ItemsOfTheFirstStay()
    {
        var result = Read(BaseFile, """{ "StreamProxy": { "Listeners": [], "Routes": { "app1": { "Match": { "Sni": [] } } } } }""");

        Assert.Empty(result.Errors);
        Assert.Equal(["a.example.com", "b.example.com"], result.Config.Routes["app1"].Match.Sni);
    }

    [Fact]
    public void Read_SecondSourceSetsScalarInPlaceOfMap_IsError()
    {
        var result = Read(BaseFile, """{ "StreamProxy": { "Routes": "none" } }""");

        Assert.Equal("StreamProxy:Routes", Assert.Single(result.Errors).Path);
    }

    [Fact]
    public void Read_ListOfMoreThanTenItems_KeepsTheirOrder()
    {
        var names = Enumerable.Range(0, 25).Select(i => $"n{i}.example.com").ToArray();
        var list = string.Join(", ", names.Select(name => $"\"{name}\""));

        var result = Read($$"""{ "StreamProxy": { "Routes": { "r": { "Match": { "Sni": [{{list}}] } } } } }""");

        Assert.Equal(names, result.Config.Routes["r"].Match.Sni);
    }

    [Fact]
    public void Read_SectionInsideAnother_PathsStartWithItsPath()
    {
        var result = Read("""{ "My": { "Proxy": { "Engin": "Auto" } } }""", section: "My:Proxy");
        var validated = new StreamProxyConfigValidator(TestHooks.Default).Validate(result);

        Assert.Equal("My:Proxy", result.Section);
        Assert.All(validated.Errors, error => Assert.StartsWith("My:Proxy:", error.Path, StringComparison.Ordinal));
        Assert.Equal(3, validated.Errors.Count);
    }

    [Fact]
    public void Read_NothingGiven_GivesTheDefaultsOfTheRecords()
    {
        var config = Read("""
            { "StreamProxy": { "Listeners": { "l": null }, "Routes": { "r": {} }, "Certificates": { "c": null },
              "Clusters": { "c": { "HealthCheck": { "Passive": { "Enabled": true } }, "Destinations": { "d": null } } } } }
            """).Config;

        Assert.Equal(new ListenerConfig(), config.Listeners["l"]);
        Assert.Equal(new CertificateConfig(), config.Certificates["c"]);
        Assert.Equal(new DestinationConfig(), config.Clusters["c"].Destinations["d"]);
        Assert.Equal(new PassiveHealthCheckConfig(), config.Clusters["c"].HealthCheck!.Passive);
        Assert.Equal(new RouteConfig() with { Match = config.Routes["r"].Match }, config.Routes["r"]);
        Assert.Equal(new ClusterConfig() with { HealthCheck = config.Clusters["c"].HealthCheck, Destinations = config.Clusters["c"].Destinations }, config.Clusters["c"]);
    }

    [Theory]
    [InlineData("00:00:30", 30_000)]
    [InlineData("0:0:5", 5_000)]
    [InlineData("00:00:00.5", 500)]
    [InlineData("1.00:00:00", 86_400_000)]
    [InlineData("Infinite", -1)]
    [InlineData("infinite", -1)]
    [InlineData("-00:00:00.001", -1)]
    public void DurationTryParse_TimeAsWritten_GivesIt(string text, int milliseconds)
    {
        Assert.True(Duration.TryParse(text, out var value));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), value);
        Assert.True(Duration.TryParse(Duration.Format(value), out var again));
        Assert.Equal(value, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData("30")]
    [InlineData("00:30")]
    [InlineData("1.12")]
    [InlineData("00:00:60")]
    [InlineData("24:00:00")]
    [InlineData("1:2:3:4")]
    [InlineData("00:00:30s")]
    [InlineData("00:00:1,5")]
    [InlineData("99999999.00:00:00")]
    public void DurationTryParse_OtherForms_AreRefused(string text)
        => Assert.False(Duration.TryParse(text, out _));

    private static ConfigResult Read(string json, string? overriding = null, string section = "StreamProxy")
    {
        var builder = new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json)));
        if (overriding is not null)
        {
            builder.AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(overriding)));
        }

        return ConfigurationReader.Read(builder.Build().GetSection(section));
    }
}
