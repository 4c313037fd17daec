using System.Net.Sockets;
using KestrelStream.FunctionalTests.Server;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Monitoring;

/// <summary>OTLP of the running program, by the standard variables.</summary>
public sealed class TelemetryExportTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Echo();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Endpoint_Given_MetricsAndSpansOfSessionsAreSent()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var server = await StartAsync(new()
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.Address,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "300",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
        });
        await TalkAsync(server);

        await Wait.UntilAsync(() => receiver.Has("/v1/metrics", "kestrelstream.sessions") && receiver.Has("/v1/metrics", "Completed"), "the metrics");
        await Wait.UntilAsync(() => receiver.Has("/v1/traces", "kestrelstream.end_reason"), "the trace");
        Assert.All(["session", "dial", "relay", "kestrelstream", "127.0.0.1"], text => Assert.True(receiver.Has("/v1/traces", text), text));
        Assert.True(receiver.Has("/v1/metrics", "dotnet.gc.collections"));
        Assert.Equal(0, (await server.StopAsync()).ExitCode);
    }

    [Fact]
    public async Task OneSignal_Given_OnlyThatIsSent()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var server = await StartAsync(new()
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.Address,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_METRICS_EXPORTER"] = "none",
            ["OTEL_SERVICE_NAME"] = "edge-of-the-test",
        });
        await TalkAsync(server);
        Assert.Equal(0, (await server.StopAsync()).ExitCode);

        // The stop sends what is left.
        Assert.True(receiver.Has("/v1/traces", "edge-of-the-test"));
        Assert.Equal(0, receiver.CountOf("/v1/metrics"));
    }

    [Theory]
    [InlineData("OTEL_SERVICE_NAME", "edge")]
    [InlineData("OTEL_SDK_DISABLED", "true")]
    public async Task NoEndpoint_Given_NothingIsLoaded(string variable, string value)
    {
        await using var server = await StartAsync(new() { [variable] = value });
        await TalkAsync(server);
        Assert.DoesNotContain("OpenTelemetry", File.ReadAllText($"/proc/{server.Id}/maps"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task CollectorIsNotThere_SessionsGoOn()
    {
        await using var server = await StartAsync(new()
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = $"http://{ScriptedUpstream.Nobody()}",
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "50",
        });
        for (var i = 0; i < 20; i++)
        {
            await TalkAsync(server);
        }

        Assert.Equal(0, (await server.StopAsync()).ExitCode);
    }

    private Task<ServerProcess> StartAsync(Dictionary<string, string> environment) => ServerProcess.StartAsync(new ServerOptions
    {
        ConfigPath = _folder.Write("appsettings.json", ServerConfig.OneRoute(_upstream.EndPoint)),
        Environment = environment,
    });

    private static async Task TalkAsync(ServerProcess server)
    {
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(server.Listener("public"));
        await client.SendAllAsync(new byte[10]);
        await client.ReceiveExactlyAsync(10);
        client.Shutdown(SocketShutdown.Send);
        await client.ReceiveToEndAsync();
    }
}
