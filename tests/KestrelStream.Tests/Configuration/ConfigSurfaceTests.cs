using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using KestrelStream.Configuration;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace KestrelStream.Tests.Configuration;

/// <summary>Keys are public surface: what is read, the records, the editor's schema and the documentation name the same ones.</summary>
public class ConfigSurfaceTests
{
    private const string Unknown = "NoSuchKey";

    /// <summary>Definition in the schema, heading in the documentation, record, and a path at which the section is read.</summary>
    public static TheoryData<string, string, Type, string> Sections => new()
    {
        { "StreamProxy", "StreamProxy", typeof(StreamProxyConfig), "StreamProxy" },
        { "Tls", "Tls of all routes", typeof(TlsConfig), "StreamProxy:Tls" },
        { "ProcessLimits", "Limits of the process", typeof(ProcessLimitsConfig), "StreamProxy:Limits" },
        { "Admin", "Admin", typeof(AdminConfig), "StreamProxy:Admin" },
        { "Resolver", "Resolver", typeof(ResolverConfig), "StreamProxy:Resolver" },
        { "AccessLog", "AccessLog", typeof(AccessLogConfig), "StreamProxy:AccessLog" },
        { "AccessLogSyslog", "Syslog", typeof(AccessLogSyslogConfig), "StreamProxy:AccessLog:Syslog" },
        { "AccessLogRule", "If", typeof(AccessLogRuleConfig), "StreamProxy:AccessLog:If:0" },
        { "AccessLogRotate", "Rotate", typeof(AccessLogRotateConfig), "StreamProxy:AccessLog:Rotate" },
        { "Metrics", "Metrics", typeof(MetricsConfig), "StreamProxy:Metrics" },
        { "Listener", "Listeners", typeof(ListenerConfig), "StreamProxy:Listeners:x" },
        { "ListenerProxyProtocol", "ProxyProtocol", typeof(ListenerProxyProtocolConfig), "StreamProxy:Listeners:x:ProxyProtocol" },
        { "Limits", "Limits", typeof(LimitsConfig), "StreamProxy:Listeners:x:Limits" },
        { "Limits", "Limits", typeof(LimitsConfig), "StreamProxy:Routes:x:Limits" },
        { "ListenerStartTls", "StartTls", typeof(ListenerStartTlsConfig), "StreamProxy:Listeners:x:StartTls" },
        { "Certificate", "Certificates", typeof(CertificateConfig), "StreamProxy:Certificates:x" },
        { "Acme", "Acme", typeof(AcmeConfig), "StreamProxy:Certificates:x:Acme" },
        { "ExternalAccount", "ExternalAccount", typeof(AcmeExternalAccountConfig), "StreamProxy:Certificates:x:Acme:ExternalAccount" },
        { "HttpChallenge", "HttpChallenge", typeof(HttpChallengeConfig), "StreamProxy:HttpChallenge" },
        { "Route", "Routes", typeof(RouteConfig), "StreamProxy:Routes:x" },
        { "Match", "Match", typeof(RouteMatch), "StreamProxy:Routes:x:Match" },
        { "RouteTls", "Tls", typeof(RouteTlsConfig), "StreamProxy:Routes:x:Tls" },
        { "ClientCertificates", "ClientCertificates", typeof(ClientCertificatesConfig), "StreamProxy:Routes:x:Tls:ClientCertificates" },
        { "Cluster", "Clusters", typeof(ClusterConfig), "StreamProxy:Clusters:x" },
        { "UpstreamTls", "Tls of destinations", typeof(UpstreamTlsConfig), "StreamProxy:Clusters:x:Tls" },
        { "Hash", "Hash", typeof(HashConfig), "StreamProxy:Clusters:x:Hash" },
        { "Queue", "Queue", typeof(QueueConfig), "StreamProxy:Clusters:x:Queue" },
        { "Destination", "Destinations", typeof(DestinationConfig), "StreamProxy:Clusters:x:Destinations:x" },
        { "ActiveHealthCheck", "Active", typeof(ActiveHealthCheckConfig), "StreamProxy:Clusters:x:HealthCheck:Active" },
        { "HealthCheckStep", "Steps", typeof(HealthCheckStep), "StreamProxy:Clusters:x:HealthCheck:Active:Steps:0" },
        { "PassiveHealthCheck", "HealthCheck", typeof(PassiveHealthCheckConfig), "StreamProxy:Clusters:x:HealthCheck:Passive" },
    };

    [Theory]
    [MemberData(nameof(Sections))]
    public void Read_UnknownKey_ValidKeysAreThoseOfRecordSchemaAndDocumentation(string definition, string heading, Type record, string path)
    {
        var read = KeysThatAreRead(path);

        Assert.Equal(record.GetProperties().Select(property => property.Name).Order(StringComparer.Ordinal), read);
        Assert.Equal(KeysOfSchema(definition), read);
        Assert.Equal(KeysOfDocumentation(heading), read);
    }

    [Fact]
    public void Read_UnknownKeyInHealthCheck_ValidKeysAreThoseOfTheSchema()
        => Assert.Equal(KeysOfSchema("HealthCheck"), KeysThatAreRead("StreamProxy:Clusters:x:HealthCheck"));

    [Fact]
    public void Documentation_Examples_AreReadWithoutErrors()
    {
        var blocks = File.ReadAllText(Path.Combine(Repository(), "docs", "configuration.md")).Split("```jsonc\n").Skip(1).Select(block => block.Split("```")[0]).ToArray();

        Assert.True(blocks.Length >= 7);
        foreach (var block in blocks)
        {
            var json = block.Contains("\"StreamProxy\"", StringComparison.Ordinal) ? block : $"{{ \"StreamProxy\": {{ {block} }} }}";
            var configuration = new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build();
            Assert.Empty(ConfigurationReader.Read(configuration.GetSection("StreamProxy")).Errors);
        }
    }

    [Fact]
    public void Schema_Choices_AreThoseOfTheEnumerations()
    {
        AssertChoices<EngineKind>("StreamProxy", "Engine");
        AssertChoices<TlsEngineKind>("Tls", "Engine");
        AssertChoices<AccessLogFormat>("AccessLog", "Format");
        AssertChoices<AcmeChallenge>("Acme", "Challenge");
        AssertChoices<AcmeUntilIssued>("Acme", "UntilIssued");
        AssertChoices<AcmeKeyType>("Acme", "KeyType");
        AssertChoices<RouteAction>("Route", "Action");
        AssertChoices<RefusalAction>("Route", "DenyAction");
        AssertChoices<RefusalAction>("Listener", "DenyAction");
        AssertChoices<LimitAction>("Limits", "Action");
        AssertChoices<ProxyProtocolMode>("ListenerProxyProtocol", "Mode");
        AssertChoices<TlsMode>("RouteTls", "Mode");
        AssertChoices<TlsVersion>("RouteTls", "Protocols", "items");
        AssertChoices<ClientCertificateMode>("ClientCertificates", "Mode");
        AssertChoices<TlsVersion>("UpstreamTls", "Protocols", "items");
        AssertChoices<UnhealthyAction>("Cluster", "OnUnhealthy");
        AssertChoices<HashKey>("Hash", "Key");
        AssertChoices<HealthCheckKind>("ActiveHealthCheck", "Kind");
        AssertChoices<HealthCheckInitialState>("ActiveHealthCheck", "InitialState");
        AssertChoices<StartTlsProtocol>("Route", "StartTls");
        AssertChoices<StartTlsGreeting>("ListenerStartTls", "Greeting");
        AssertChoices<ClientProtocol>("Match", "Protocols", "items");
    }

    [Fact]
    public void Schema_EverySection_AllowsNoOtherKeys()
    {
        using var schema = Schema();
        foreach (var definition in schema.RootElement.GetProperty("definitions").EnumerateObject().Where(definition => definition.Value.TryGetProperty("properties", out _)))
        {
            Assert.True(definition.Value.TryGetProperty("additionalProperties", out var additional), definition.Name);
            Assert.Equal(JsonValueKind.False, additional.ValueKind);
        }
    }

    private static string[] KeysThatAreRead(string path)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new($"{path}:{Unknown}", "1")]).Build();
        var error = Assert.Single(ConfigurationReader.Read(configuration.GetSection("StreamProxy")).Errors);
        Assert.Equal($"{path}:{Unknown}", error.Path);
        return error.Message.Split("valid: ")[1].Split(", ");
    }

    private static string[] KeysOfSchema(string definition)
    {
        using var schema = Schema();
        return [.. schema.RootElement.GetProperty("definitions").GetProperty(definition).GetProperty("properties").EnumerateObject().Select(key => key.Name).Order(StringComparer.Ordinal)];
    }

    private static void AssertChoices<T>(string definition, params string[] path)
        where T : struct, Enum
    {
        using var schema = Schema();
        var key = schema.RootElement.GetProperty("definitions").GetProperty(definition).GetProperty("properties");
        key = path.Aggregate(key, (element, step) => element.GetProperty(step));
        var choices = key.GetProperty("enum").EnumerateArray().Where(choice => choice.ValueKind == JsonValueKind.String).Select(choice => choice.GetString());
        Assert.Equal(Enum.GetNames<T>(), choices);
    }

    /// <summary>First cells of the first table under a heading.</summary>
    private static string[] KeysOfDocumentation(string heading)
    {
        var lines = File.ReadAllLines(Path.Combine(Repository(), "docs", "configuration.md"), Encoding.UTF8);
        var rows = lines
            .SkipWhile(line => line.TrimStart('#') != " " + heading || !line.StartsWith('#'))
            .SkipWhile(line => !line.StartsWith("| key", StringComparison.Ordinal))
            .TakeWhile(line => line.StartsWith('|'))
            .Skip(2);
        return [.. rows.Select(row => row.Split('`')[1]).Order(StringComparer.Ordinal)];
    }

    private static JsonDocument Schema()
        => JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository(), "src", "KestrelStream.Server", "appsettings.schema.json")));

    private static string Repository([CallerFilePath] string thisFile = "")
        => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "..", "..", ".."));
}
