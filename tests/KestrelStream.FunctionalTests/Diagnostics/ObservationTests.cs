using System.Buffers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelStream.FunctionalTests.Diagnostics;

/// <summary>What access log and metrics say of real sessions.</summary>
public sealed class ObservationTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task EndedSessions_AreInLogAndMetricsAlike(EngineKind engine)
    {
        using var folder = new TempFolder();
        await using var upstream = ScriptedUpstream.Echo();
        var nobody = ScriptedUpstream.Nobody();
        var one = ProxyEnvironment.OneRoute(engine, upstream.EndPoint);
        var config = one with
        {
            AccessLog = new AccessLogConfig { Path = folder["access.log"] },
            Listeners = new Dictionary<string, ListenerConfig>(one.Listeners) { ["dead"] = new() { Address = "127.0.0.1:0" } },
            Routes = new Dictionary<string, RouteConfig>
            {
                ["echo"] = new() { Listeners = ["public"], ClusterId = "c" },
                ["dead"] = new() { Listeners = ["dead"], ClusterId = "dead" },
            },
            Clusters = new Dictionary<string, ClusterConfig>(one.Clusters)
            {
                ["dead"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["x"] = new() { Address = nobody.ToString() } } },
            },
        };
        await using var proxy = await ProxyEnvironment.StartAsync(config);

        using var client = await proxy.ConnectAsync();
        var clientEndPoint = client.LocalEndPoint!.ToString();
        await client.SendAllAsync(new byte[1000]);
        await client.ReceiveExactlyAsync(1000);
        Assert.Equal(1, Sample(proxy, """kestrelstream_active_sessions{listener="public"}"""));
        Assert.Equal(1, Sample(proxy, """kestrelstream_destination_active_sessions{cluster="c",destination="a"}"""));
        await Wait.UntilAsync(() => Sample(proxy, """kestrelstream_bytes_total{listener="public",direction="out"}""") == 1000, "the bytes of the running session");
        client.Shutdown(SocketShutdown.Send);
        await client.ReceiveToEndAsync();
        Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());

        try
        {
            using var refused = await proxy.ConnectAsync("dead");
        }
        catch (System.Net.Sockets.SocketException)
        {
            // The reset may overtake the connect.
        }

        Assert.Equal(SessionEndReason.ConnectRefused, await proxy.EndReasonAsync(1));

        var records = await Wait.ForAsync(() => Read(folder) is [_, _] lines ? lines : null, "two records");
        Assert.Equal("echo c a Completed", Facts(records[0]));
        Assert.Equal(clientEndPoint, records[0].GetProperty("client").GetString());
        Assert.Equal(1000, records[0].GetProperty("bytes_in").GetInt64());
        Assert.Equal(1000, records[0].GetProperty("bytes_out").GetInt64());
        Assert.Equal($"a {upstream.EndPoint} connected", Attempts(records[0]));
        Assert.Equal("dead dead  ConnectRefused", Facts(records[1]));
        Assert.Equal($"x {nobody} refused", Attempts(records[1]));

        Assert.Equal(1, Sample(proxy, """kestrelstream_sessions_total{listener="public",route="echo",cluster="c",end_reason="Completed"}"""));
        Assert.Equal(1, Sample(proxy, """kestrelstream_sessions_total{listener="dead",route="dead",cluster="dead",end_reason="ConnectRefused"}"""));
        Assert.Equal(1, Sample(proxy, """kestrelstream_dial_failures_total{cluster="dead",destination="x",reason="refused"}"""));
        Assert.Equal(1, Sample(proxy, """kestrelstream_dial_duration_seconds_count{cluster="c"}"""));
        Assert.Equal(1000, Sample(proxy, """kestrelstream_bytes_total{listener="public",direction="in"}"""));
        Assert.Equal(0, Sample(proxy, """kestrelstream_active_sessions{listener="public"}"""));
        Assert.Equal(2, Sample(proxy, "kestrelstream_session_duration_seconds_count"));
    }

    [Fact]
    public async Task AccessLogThatCannotBeWritten_IsAnErrorOfTheConfiguration()
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = ProxyEnvironment.OneRoute(EngineKind.Sockets, upstream.EndPoint);
        await using var proxy = await ProxyEnvironment.StartAsync(config);

        var bad = config with { AccessLog = new AccessLogConfig { Path = "/nowhere/access.log" } };
        var result = await proxy.ReloadAsync(bad);
        Assert.Equal("StreamProxy:AccessLog:Path: \"/nowhere/access.log\": the folder /nowhere does not exist", Assert.Single(result.Errors).ToString());
        Assert.Equal(result.Errors, proxy.Proxy.Check().Errors);
        Assert.Equal(1, proxy.Proxy.Generation);
    }

    private static string Facts(JsonElement record)
        => string.Join(' ', new[] { "route", "cluster", "destination", "end_reason" }.Select(key => record.TryGetProperty(key, out var value) ? value.GetString() : ""));

    private static string Attempts(JsonElement record) => string.Join("; ", record.GetProperty("attempts").EnumerateArray()
        .Select(attempt => $"{attempt.GetProperty("destination")} {attempt.GetProperty("address")} {attempt.GetProperty("result")}"));

    private static JsonElement[] Read(TempFolder folder) => [.. folder.Lines("access.log").Select(line => JsonDocument.Parse(line).RootElement)];

    private static double? Sample(ProxyEnvironment proxy, string series)
    {
        var text = new ArrayBufferWriter<byte>();
        PrometheusText.Write(proxy.Services.GetRequiredService<StreamProxyMetrics>(), process: null, text);
        var line = Encoding.UTF8.GetString(text.WrittenSpan).Split('\n').SingleOrDefault(line => line.StartsWith(series + " ", StringComparison.Ordinal));
        return line is null ? null : double.Parse(line[(series.Length + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }
}
