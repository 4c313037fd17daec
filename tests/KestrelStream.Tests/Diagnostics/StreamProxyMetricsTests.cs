using KestrelStream.Configuration;
using KestrelStream.Tests.Model;
using KestrelStream.Discovery;
using System.Buffers;
using System.Diagnostics.Metrics;
using KestrelStream.Diagnostics;
using KestrelStream.Dialing;
using KestrelStream.Health.Checks;
using KestrelStream.Model;
using KestrelStream.Preread;
using KestrelStream.Sessions;
using KestrelStream.Transport;
using KestrelStream.Tls;
using Xunit;

namespace KestrelStream.Tests.Diagnostics;

public sealed class StreamProxyMetricsTests
{
    [Fact]
    public void Names_AllMetrics_AreThePublishedOnes()
    {
        using var proxy = new TestProxy();
        PlayEverything(proxy);
        Assert.Equal(
        [
            "kestrelstream_accept_errors_total counter",
            "kestrelstream_access_log_dropped_total counter",
            "kestrelstream_acme_orders_total counter",
            "kestrelstream_active_sessions gauge",
            "kestrelstream_admin_changes_total counter",
            "kestrelstream_bytes_total counter",
            "kestrelstream_certificate_changes_total counter",
            "kestrelstream_certificate_expiry_seconds gauge",
            "kestrelstream_client_ocsp_sessions_total counter",
            "kestrelstream_config_reloads_total counter",
            "kestrelstream_destination_active_sessions gauge",
            "kestrelstream_destination_certificate_expiry_seconds gauge",
            "kestrelstream_destination_ejections_total counter",
            "kestrelstream_destination_state gauge",
            "kestrelstream_destination_uncovered_names gauge",
            "kestrelstream_destination_up gauge",
            "kestrelstream_destination_warm_connections gauge",
            "kestrelstream_destination_warm_takes_total counter",
            "kestrelstream_destination_weight gauge",
            "kestrelstream_dial_duration_seconds histogram",
            "kestrelstream_dial_failures_total counter",
            "kestrelstream_discovery_members gauge",
            "kestrelstream_discovery_refreshes_total counter",
            "kestrelstream_ech_hellos_total counter",
            "kestrelstream_health_checks_total counter",
            "kestrelstream_limit_clients gauge",
            "kestrelstream_limited_total counter",
            "kestrelstream_loop_handshake_steps_total counter",
            "kestrelstream_loop_handshakes_waiting gauge",
            "kestrelstream_malformed_hellos_total counter",
            "kestrelstream_name_sessions_total counter",
            "kestrelstream_ocsp_answers_total counter",
            "kestrelstream_ocsp_expiry_seconds gauge",
            "kestrelstream_prereads_total counter",
            "kestrelstream_queue_length gauge",
            "kestrelstream_session_duration_seconds histogram",
            "kestrelstream_sessions_total counter",
            "kestrelstream_tls_handshake_duration_seconds histogram",
            "kestrelstream_tls_handshakes_total counter",
            "kestrelstream_tls_negotiated_total counter",
            "kestrelstream_upstream_tls_handshakes_total counter",
        ],
            Scrape(proxy).Types.Select(type => $"{type.Key} {type.Value}").Order(StringComparer.Ordinal));
    }

    /// <summary>Members share the series of the destination that was configured: their addresses come from the network.</summary>
    [Fact]
    public void Text_MembersByName_AreCountedByTheirDestination()
    {
        using var proxy = new TestProxy(TestProxy.Create() with
        {
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["pool"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = "db.example.com:5432" } } },
            },
        });
        var cluster = proxy.Cluster("pool");
        cluster.Refresh(cluster.Model.Sources[0], MemberRefreshTests.State(1, 2));
        var attempts = default(DialAttempts);
        cluster.DialSucceeded(cluster.Next(ref attempts)!, attempts);
        cluster.DialFailed(cluster.Next(ref attempts)!, ref attempts);
        cluster.Refresh(cluster.Model.Sources[0], MemberRefreshTests.State(2, 3));
        cluster.Refresh(cluster.Model.Sources[0], MemberRefreshTests.State(2, 3) with { Result = LookupResult.Failed, Failure = "server failure" });
        var samples = Scrape(proxy).Samples;

        Assert.Equal(1, samples["""kestrelstream_destination_up{cluster="pool",destination="a"}"""]);
        Assert.Equal(1, samples["""kestrelstream_destination_active_sessions{cluster="pool",destination="a"}"""]);
        Assert.Equal(1, samples["""kestrelstream_destination_ejections_total{cluster="pool",destination="a"}"""]);
        Assert.Equal(1, samples["""kestrelstream_discovery_members{cluster="pool",destination="a",state="up"}"""]);
        Assert.Equal(1, samples["""kestrelstream_discovery_members{cluster="pool",destination="a",state="down"}"""]);
        Assert.Equal(1, samples["""kestrelstream_discovery_members{cluster="pool",destination="a",state="leaving"}"""]);
        Assert.Equal(2, samples["""kestrelstream_discovery_refreshes_total{cluster="pool",destination="a",result="ok"}"""]);
        Assert.Equal(1, samples["""kestrelstream_discovery_refreshes_total{cluster="pool",destination="a",result="failed"}"""]);
        Assert.DoesNotContain(samples.Keys, key => key.Contains("10.0.0", StringComparison.Ordinal));

        // The one that was out leaves; the counter stays.
        cluster.Refresh(cluster.Model.Sources[0], MemberRefreshTests.State(3));
        Assert.Equal(1, Scrape(proxy).Samples["""kestrelstream_destination_ejections_total{cluster="pool",destination="a"}"""]);
    }

    [Fact]
    public void Text_EverythingHappened_SaysSo()
    {
        using var proxy = new TestProxy();
        PlayEverything(proxy);
        var samples = Scrape(proxy).Samples;

        Assert.Equal(1, samples["""kestrelstream_active_sessions{listener="public"}"""]);
        Assert.Equal(0, samples["""kestrelstream_active_sessions{listener="other"}"""]);
        Assert.Equal(1, samples["""kestrelstream_sessions_total{listener="public",route="app1",cluster="pool",end_reason="Completed"}"""]);
        Assert.Equal(1, samples["""kestrelstream_sessions_total{listener="other",route="rest",cluster="",end_reason="Rejected"}"""]);
        Assert.Equal(1, samples["""kestrelstream_sessions_total{listener="public",route="",cluster="",end_reason="PrereadMalformed"}"""]);
        Assert.Equal(3, samples.Count(sample => sample.Key.StartsWith("kestrelstream_sessions_total", StringComparison.Ordinal)));
        Assert.Equal(107, samples["""kestrelstream_bytes_total{listener="public",direction="in"}"""]);
        Assert.Equal(2011, samples["""kestrelstream_bytes_total{listener="public",direction="out"}"""]);
        Assert.Equal(0, samples["""kestrelstream_bytes_total{listener="other",direction="in"}"""]);
        Assert.Equal(3, samples["kestrelstream_session_duration_seconds_count"]);
        Assert.Equal(62.5, samples["kestrelstream_session_duration_seconds_sum"]);
        Assert.Equal(2, samples["""kestrelstream_session_duration_seconds_bucket{le="5"}"""]);
        Assert.Equal(1, samples["""kestrelstream_dial_duration_seconds_count{cluster="pool"}"""]);
        Assert.Equal(0.003, samples["""kestrelstream_dial_duration_seconds_sum{cluster="pool"}"""]);
        Assert.Equal(0, samples["""kestrelstream_dial_duration_seconds_bucket{cluster="pool",le="0.0025"}"""]);
        Assert.Equal(1, samples["""kestrelstream_dial_duration_seconds_bucket{cluster="pool",le="0.005"}"""]);
        Assert.Equal(1, samples["""kestrelstream_dial_failures_total{cluster="pool",destination="a",reason="refused"}"""]);
        Assert.Equal(1, samples["""kestrelstream_dial_failures_total{cluster="pool",destination="a",reason="timed_out"}"""]);
        Assert.Equal(1, samples["""kestrelstream_tls_handshakes_total{listener="public",result="ok"}"""]);
        Assert.Equal(1, samples["""kestrelstream_tls_handshakes_total{listener="public",result="failed"}"""]);
        Assert.Equal(0, samples["""kestrelstream_tls_handshakes_total{listener="public",result="timeout"}"""]);
        Assert.Equal(1, samples["kestrelstream_tls_handshake_duration_seconds_count"]);
        Assert.Equal(1, samples["""kestrelstream_destination_up{cluster="pool",destination="a"}"""]);
        Assert.Equal(2, samples["""kestrelstream_health_checks_total{cluster="pool",destination="a",result="healthy"}"""]);
        Assert.Equal(1, samples["""kestrelstream_health_checks_total{cluster="pool",destination="b",result="timeout"}"""]);
        Assert.Equal(2, samples.Count(sample => sample.Key.StartsWith("kestrelstream_health_checks_total", StringComparison.Ordinal)));
        Assert.Equal(7200, samples["""kestrelstream_destination_certificate_expiry_seconds{cluster="pool",destination="a"}"""]);
        Assert.Equal(1, samples.Count(sample => sample.Key.StartsWith("kestrelstream_destination_certificate_expiry_seconds", StringComparison.Ordinal)));
        Assert.Equal(1, samples["""kestrelstream_config_reloads_total{result="applied"}"""]);
        Assert.Equal(2, samples["""kestrelstream_config_reloads_total{result="rejected"}"""]);
        Assert.Equal(86400 * 30, samples["""kestrelstream_certificate_expiry_seconds{certificate="site"}"""]);
        Assert.Equal(-3600, samples["""kestrelstream_certificate_expiry_seconds{certificate="old"}"""]);
        Assert.Equal(2, samples["""kestrelstream_acme_orders_total{certificate="www",result="issued"}"""]);
        Assert.Equal(5, samples["""kestrelstream_acme_orders_total{certificate="www",result="failed"}"""]);
        Assert.DoesNotContain("""kestrelstream_certificate_expiry_seconds{certificate="empty"}""", samples.Keys);
        Assert.Equal(4, samples["""kestrelstream_certificate_changes_total{certificate="site",result="taken"}"""]);
        Assert.Equal(2, samples["""kestrelstream_certificate_changes_total{certificate="site",result="refused"}"""]);
        Assert.Equal(2, samples["""kestrelstream_ech_hellos_total{listener="public",type="outer"}"""]);
        Assert.Equal(1, samples["""kestrelstream_ech_hellos_total{listener="public",type="inner"}"""]);
        Assert.Equal(4, samples["kestrelstream_access_log_dropped_total"]);
    }

    [Fact]
    public void Text_DestinationsOut_AreDown()
    {
        using var proxy = new TestProxy();
        var attempts = default(DialAttempts);
        var busy = proxy.Cluster("pool").Next(ref attempts)!;
        proxy.FailDials("pool", destinations: 1);

        var samples = Scrape(proxy).Samples;
        Assert.Equal(["a", "b"], new[] { busy.Id, busy.Id == "a" ? "b" : "a" }.Order());
        Assert.Equal(1, samples["""kestrelstream_destination_up{cluster="pool",destination="a"}"""] + samples["""kestrelstream_destination_up{cluster="pool",destination="b"}"""]);
        Assert.Equal(1, samples[$$"""kestrelstream_destination_active_sessions{cluster="pool",destination="{{busy.Id}}"}"""]);
    }

    [Fact]
    public void Instruments_EverythingHappened_AgreeWithTheText()
    {
        using var proxy = new TestProxy();
        var recorded = new Dictionary<string, List<double>>();
        var observed = new Dictionary<string, double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == StreamProxyMetrics.MeterName && instrument.Meter.Scope == proxy.Meters)
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) =>
        {
            recorded.TryAdd(instrument.Name, []);
            recorded[instrument.Name].Add(value);
        });
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            observed.Add(instrument.Name + "{" + string.Join(',', tags.ToArray().Select(tag => $"{tag.Key}=\"{tag.Value}\"")) + "}", value));
        listener.Start();
        PlayEverything(proxy);
        listener.RecordObservableInstruments();

        Assert.Equal([2.0, 0.5, 60.0], recorded["kestrelstream.session.duration"]);
        Assert.Equal([0.003], recorded["kestrelstream.dial.duration"]);
        Assert.Equal([0.02], recorded["kestrelstream.tls_handshake.duration"]);
        Assert.Equal(1, observed["""kestrelstream.sessions{listener="public",route="app1",cluster="pool",end_reason="Completed"}"""]);

        var values = Scrape(proxy).Samples
            .Where(sample => !sample.Key.Contains("_duration_", StringComparison.Ordinal))
            .Select(sample => (sample.Key.Split('{') is [_, var labels] ? "{" + labels : "{}", sample.Value));
        Assert.Equal(values.Order(), observed.Select(pair => ("{" + pair.Key.Split('{')[1], pair.Value)).Order());
    }

    [Fact]
    public void Instruments_Published_HaveUnits()
    {
        using var proxy = new TestProxy();
        var units = new List<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (instrument.Meter.Scope == proxy.Meters)
            {
                units.Add($"{instrument.Name} {instrument.Unit}");
            }
        };
        listener.Start();
        Assert.Equal(
        [
            "kestrelstream.accept_errors {error}",
            "kestrelstream.access_log.dropped {record}",
            "kestrelstream.acme.orders {order}",
            "kestrelstream.active_sessions {session}",
            "kestrelstream.admin.changes {change}",
            "kestrelstream.bytes By",
            "kestrelstream.certificate.changes {change}",
            "kestrelstream.certificate.expiry s",
            "kestrelstream.client_ocsp.sessions {session}",
            "kestrelstream.config_reloads {reload}",
            "kestrelstream.destination.active_sessions {session}",
            "kestrelstream.destination.certificate_expiry s",
            "kestrelstream.destination.ejections {ejection}",
            "kestrelstream.destination.state ",
            "kestrelstream.destination.uncovered_names {name}",
            "kestrelstream.destination.up ",
            "kestrelstream.destination.warm_connections {connection}",
            "kestrelstream.destination.warm_takes {session}",
            "kestrelstream.destination.weight ",
            "kestrelstream.dial.duration s",
            "kestrelstream.dial.failures {dial}",
            "kestrelstream.discovery.members {member}",
            "kestrelstream.discovery.refreshes {lookup}",
            "kestrelstream.ech_hellos {hello}",
            "kestrelstream.health_checks {check}",
            "kestrelstream.limit_clients {client}",
            "kestrelstream.limited {event}",
            "kestrelstream.loop.busy s",
            "kestrelstream.loop.handshake_steps {step}",
            "kestrelstream.loop.handshakes_waiting {handshake}",
            "kestrelstream.loop.lag s",
            "kestrelstream.malformed_hellos {session}",
            "kestrelstream.name_sessions {session}",
            "kestrelstream.ocsp.answers {answer}",
            "kestrelstream.ocsp.expiry s",
            "kestrelstream.prereads {session}",
            "kestrelstream.queue.duration s",
            "kestrelstream.queue.length {session}",
            "kestrelstream.session.duration s",
            "kestrelstream.sessions {session}",
            "kestrelstream.tls_handshake.duration s",
            "kestrelstream.tls_handshakes {handshake}",
            "kestrelstream.tls_negotiated {handshake}",
            "kestrelstream.upstream_tls_handshake.duration s",
            "kestrelstream.upstream_tls_handshakes {handshake}",
        ],
            units.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void SessionEnded_RouteOnTwoListeners_CountsEachOnItsOwn()
    {
        using var proxy = new TestProxy();
        for (var i = 0; i < 3; i++)
        {
            foreach (var listener in new[] { "public", "other" })
            {
                var session = proxy.Start(listener);
                session.Route = proxy.Route("rest");
                proxy.End(session, SessionEndReason.Rejected);
            }
        }

        var samples = Scrape(proxy).Samples;
        Assert.Equal(3, samples["""kestrelstream_sessions_total{listener="public",route="rest",cluster="",end_reason="Rejected"}"""]);
        Assert.Equal(3, samples["""kestrelstream_sessions_total{listener="other",route="rest",cluster="",end_reason="Rejected"}"""]);
    }

    [Fact]
    public void SessionEnded_AfterReload_GoesOnInTheSameSeries()
    {
        using var proxy = new TestProxy();
        var before = proxy.Start();
        before.Route = proxy.Route("app1");
        proxy.Apply(TestProxy.Create());
        var after = proxy.Start();
        after.Route = proxy.Route("app1");
        proxy.End(before);
        proxy.End(after);

        Assert.Equal(2, Scrape(proxy).Samples["""kestrelstream_sessions_total{listener="public",route="app1",cluster="pool",end_reason="Completed"}"""]);
    }

    [Fact]
    public async Task SessionEnded_FromManyThreads_LosesNothing()
    {
        const int Threads = 4;
        const int Sessions = 5000;
        using var proxy = new TestProxy();
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < Sessions; i++)
            {
                var session = proxy.Start(i % 2 == 0 ? "public" : "other");
                session.Route = proxy.Route(i % 3 == 0 ? "app1" : "rest");
                session.BytesIn = 3;
                session.BytesOut = 5;
                proxy.Metrics.DialEnded(session, new DialAttempt("a", null, ConnectStatus.Refused, TimeSpan.Zero), "a");
                proxy.End(session, duration: TimeSpan.FromMilliseconds(2));
            }
        })));

        var samples = Scrape(proxy).Samples;
        double Sum(string prefix) => samples.Where(sample => sample.Key.StartsWith(prefix, StringComparison.Ordinal)).Sum(sample => sample.Value);
        Assert.Equal(Threads * Sessions, Sum("kestrelstream_sessions_total"));
        Assert.Equal(Threads * Sessions * 8, Sum("kestrelstream_bytes_total"));
        Assert.Equal(Threads * Sessions, Sum("kestrelstream_dial_failures_total"));
        Assert.Equal(Threads * Sessions, samples["kestrelstream_session_duration_seconds_count"]);
        Assert.Equal(Threads * Sessions * 0.002, samples["kestrelstream_session_duration_seconds_sum"], 1e-6);
        Assert.Equal(0, Sum("kestrelstream_active_sessions"));
    }

    [Fact]
    public void SessionEnded_WarmedUp_AllocatesNothing()
    {
        using var proxy = new TestProxy();
        var session = proxy.Start();
        session.Route = proxy.Route("app1");
        var attempt = new DialAttempt("a", null, ConnectStatus.Connected, TimeSpan.FromMilliseconds(1));
        Play();

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            Play();
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Play()
        {
            proxy.Metrics.SessionStarted(session);
            proxy.Metrics.HandshakeEnded(session, "ok", TimeSpan.FromMilliseconds(1));
            proxy.Metrics.DialEnded(session, attempt, attempt.Destination);
            proxy.Metrics.SessionEnded(session, TimeSpan.FromSeconds(1));
        }
    }

    internal static PrometheusTextParser Scrape(TestProxy proxy)
    {
        var text = new ArrayBufferWriter<byte>();
        PrometheusText.Write(proxy.Metrics, process: null, text);
        return PrometheusTextParser.Parse(text.WrittenSpan);
    }

    /// <summary>Each metric gets a value: three sessions that ended in 2, 0.5 and 60 seconds, one that runs.</summary>
    private static void PlayEverything(TestProxy proxy)
    {
        proxy.Certificates =
        [
            new CertificateStatus("site", proxy.Time.GetUtcNow().AddDays(30)) { Changes = (4, 2) },
            new CertificateStatus("old", proxy.Time.GetUtcNow().AddHours(-1)),
            new CertificateStatus("empty", null) { Count = 0 },
        ];

        proxy.Issuances = [new CertificateIssuance("www", IssuanceState.Issued, null, null, Issued: 2, Failed: 5)];

        var relayed = proxy.Start();
        relayed.Route = proxy.Route("app1");
        proxy.Metrics.EchHelloRead(relayed, EncryptedHello.Outer);
        proxy.Metrics.EchHelloRead(relayed, EncryptedHello.Outer);
        proxy.Metrics.EchHelloRead(relayed, EncryptedHello.Inner);
        proxy.Metrics.HandshakeEnded(relayed, "ok", TimeSpan.FromMilliseconds(20));
        proxy.Metrics.DialEnded(relayed, new DialAttempt("a", null, ConnectStatus.Refused, TimeSpan.FromMilliseconds(1)), "a");
        proxy.Metrics.DialEnded(relayed, new DialAttempt("a", null, ConnectStatus.TimedOut, TimeSpan.FromSeconds(10)), "a");
        proxy.Metrics.DialEnded(relayed, new DialAttempt("b", null, ConnectStatus.Connected, TimeSpan.FromMilliseconds(3)), "b");
        relayed.BytesIn = 100;
        relayed.BytesOut = 2000;
        proxy.End(relayed, SessionEndReason.Completed, TimeSpan.FromSeconds(2));

        var rejected = proxy.Start("other");
        rejected.Route = proxy.Route("rest");
        proxy.End(rejected, SessionEndReason.Rejected, TimeSpan.FromSeconds(0.5));

        var malformed = proxy.Start();
        proxy.Metrics.HandshakeEnded(malformed, "failed", TimeSpan.FromSeconds(1));
        proxy.End(malformed, SessionEndReason.PrereadMalformed, TimeSpan.FromSeconds(60));

        var running = proxy.Start();
        running.Route = proxy.Route("app1");
        running.BytesIn = 7;
        running.BytesOut = 11;

        proxy.Metrics.ConfigReloaded(isApplied: true);
        proxy.Metrics.ConfigReloaded(isApplied: false);
        proxy.Metrics.ConfigReloaded(isApplied: false);
        proxy.Metrics.AccessLogDropped(4);

        var now = proxy.Time.GetUtcNow();
        proxy.Metrics.HealthCheckEnded("pool", "a", CheckResult.Healthy);
        proxy.Metrics.HealthCheckEnded("pool", "a", CheckResult.Healthy);
        proxy.Metrics.HealthCheckEnded("pool", "b", CheckResult.Timeout);
        proxy.Cluster("pool").Model.Destinations[0].SetLastCheck(new CheckReport(CheckResult.Healthy, "", default, now, now.AddHours(2)));

        // One that has not come to see a certificate does not forget it.
        proxy.Cluster("pool").Model.Destinations[0].SetLastCheck(new CheckReport(CheckResult.Connect, "", default, now));
    }
}
