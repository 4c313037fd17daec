using System.Globalization;
using System.Text;
using KestrelStream.Access;
using KestrelStream.Configuration;
using KestrelStream.Model;
using KestrelStream.Preread;
using KestrelStream.Routing;

namespace KestrelStream.Tests.Configuration;

/// <summary>Every value of a configuration as text, and what its route tables make of it.</summary>
internal static class ConfigSummary
{
    public static string Of(StreamProxyConfig config)
    {
        var text = new StringBuilder();
        Line(text, $"engine {config.Engine}, loops {Or(config.EventLoops)}, shutdown {config.ShutdownTimeout}, tls {config.Tls.Engine}");
        Line(text, $"admin {config.Admin?.Address ?? "none"}{(config.Admin is { AllowedHosts.Count: > 0 } admin ? $" for {string.Join(", ", admin.AllowedHosts)}" : "")}");
        if (config.Limits != new ProcessLimitsConfig())
        {
            Line(text, $"{config.Limits}");
        }

        Line(text, $"access log {(config.AccessLog is { } log ? $"{log.Path} {log.Format}{AccessLogOf(log)}" : "none")}");
        if (config.Metrics.TopNames > 0)
        {
            Line(text, $"metrics top names {config.Metrics.TopNames}");
        }

        if (config.HttpChallenge is { } http)
        {
            Line(text, $"http challenge {http.Address}, redirect {http.RedirectToHttps}");
        }

        foreach (var (id, listener) in config.Listeners)
        {
            Line(text, $"listener {id}: {listener.Address}, preread {listener.PrereadTimeout} {listener.PrereadBufferBytes} bytes, server first after {listener.ServerFirstAfter}, handshake {listener.HandshakeTimeout}, backlog {listener.Backlog}, max {Or(listener.MaxConnections)}{ProxyProtocolOf(listener)}");
            AppendAccess(text, AccessLists.Of(listener), listener.DenyAction, listener.Limits);
            AppendTable(text, RouteTable.ForListener(id, config.Routes.Select(route => new RouteModel { Id = route.Key, Config = route.Value })));
        }

        foreach (var (id, certificate) in config.Certificates)
        {
            if (certificate.Acme is { } acme)
            {
                Line(text, $"certificate {id}: {acme.Directory}, {List(acme.Names)}, mail {acme.Email ?? "none"}, {acme.Challenge}, in {acme.Storage}, agrees {acme.AgreeToTermsOfService}, until issued {acme.UntilIssued}, {acme.KeyType}, renew before {Or(acme.RenewBefore)}, trusted {acme.TrustedCertificates ?? "system"}, account {acme.ExternalAccount?.KeyId ?? "none"} {acme.ExternalAccount?.HmacKey ?? "none"}");
                continue;
            }

            Line(text, $"certificate {id}: {(certificate.Directory is { } folder ? $"folder {folder}" : certificate.Path)}, key {certificate.KeyPath ?? "none"}, password {certificate.Password ?? "none"}");
        }

        foreach (var (id, route) in config.Routes)
        {
            AppendRoute(text, id, route);
        }

        foreach (var (id, cluster) in config.Clusters)
        {
            AppendCluster(text, id, cluster);
        }

        return text.ToString();
    }

    private static void AppendAccess(StringBuilder text, AccessLists lists, RefusalAction action, LimitsConfig? limits)
    {
        if (!lists.IsEmpty)
        {
            Line(text, $"  allow {List(lists.Allow)} {lists.AllowFile ?? "none"}, deny {List(lists.Deny)} {lists.DenyFile ?? "none"}, {action}");
        }

        if (limits is not null)
        {
            Line(text, $"  {limits}");
        }
    }

    private static void AppendTable(StringBuilder text, RouteTable table)
        => Line(text, $"  prereads {table.NeedsPreread}, only {table.Only()?.Id ?? "none"}, not TLS {table.ForNotTls("?"u8, out _)?.Id ?? "none"}, silence {table.ForSilence()?.Id ?? "none"}, no name {table.ForHello(new ClientHello())?.Id ?? "none"}");

    private static void AppendRoute(StringBuilder text, string id, RouteConfig route)
    {
        Line(text, $"route {id}: {route.Action} {route.ClusterId ?? "nowhere"}, listeners {(route.Listeners is null ? "all" : List(route.Listeners))}, order {route.Order}, idle {route.IdleTimeout}, half-close {route.HalfCloseTimeout}, lifetime {Or(route.MaxSessionLifetime)}");
        Line(text, $"  sni {List(route.Match.Sni)}, alpn {List(route.Match.Alpn)}, protocols {List(route.Match.Protocols)}");
        AppendAccess(text, AccessLists.Of(route), route.DenyAction, route.Limits);
        if (route.Tls is { } tls)
        {
            Line(text, $"  tls {tls.Mode}, certificates {List(tls.Certificates)}, unknown {tls.UnknownName?.ToString() ?? "as usual"}, protocols {List(tls.Protocols)}, ciphers {tls.Ciphers ?? "default"}, server order {tls.PreferServerCiphers}, alpn {List(tls.Alpn)}");
            Line(text, $"  suites {tls.CipherSuites ?? "default"}, groups {tls.Groups ?? "default"}, resumption {tls.SessionResumption}, timeout {tls.SessionTimeout}, cache {tls.SessionCacheSize}, stapling {tls.OcspStapling}, responder {tls.OcspResponder ?? "its own"}, answers {List(tls.OcspFiles)}");
            if (tls.SessionTickets is { } tickets)
            {
                Line(text, $"  tickets {tickets.Enabled}, rotation {tickets.RotationInterval}, keys {List(tickets.KeyFiles)}");
            }

            if (tls.ClientCertificates is { } clients)
            {
                Line(text, $"  client certificates {clients.Mode}, trusted {clients.TrustedCertificates ?? "none"}, depth {clients.Depth}, crl {clients.Crl ?? "none"}");
            }
        }
    }

    private static void AppendCluster(StringBuilder text, string id, ClusterConfig cluster)
    {
        Line(text, $"cluster {id}: {cluster.LoadBalancingPolicy}, connect {cluster.ConnectTimeout}, budget {cluster.DialBudget}, attempts {Or(cluster.MaxAttempts)}, dns {cluster.DnsRefresh}, slow start {cluster.SlowStart}, unhealthy {cluster.OnUnhealthy}, panic {cluster.PanicThreshold}, warm {cluster.WarmConnections}{(cluster.ProxyProtocol == ProxyProtocolVersion.Off ? "" : $", PROXY {cluster.ProxyProtocol} with {string.Join(' ', cluster.Tlvs)}")}");
        if (cluster.Tls is { } tls)
        {
            Line(text, $"  TLS {(tls.Enabled ? "on" : "off")}, name {tls.ServerName ?? "its host"}, verify {tls.Verify} by {tls.TrustedCertificates ?? "the system's"}, shows {tls.Certificate ?? "nothing"}, ALPN {List(tls.Alpn)}, versions {List([.. tls.EffectiveProtocols.Select(version => version.ToString())])}, ciphers {tls.Ciphers ?? "the system's"}, resumes {tls.SessionResumption}, within {tls.HandshakeTimeout}");
        }

        if (cluster.Hash is { } hash)
        {
            Line(text, $"  hash {hash.Key}, balance factor {Or(hash.BalanceFactor)}");
        }

        if (cluster.Queue is { } queue)
        {
            Line(text, $"  queue {queue.MaxLength}, {queue.Timeout}");
        }

        Line(text, $"  passive {(cluster.HealthCheck?.Passive is { } passive ? $"{passive.Enabled} {passive.MaxFails} {passive.FailTimeout} to {Or(passive.MaxFailTimeout)}, resets {passive.CountResets}, ejected {Or(passive.MaxEjectedPercent)}" : "defaults")}");
        if (cluster.HealthCheck?.Active is { } active)
        {
            AppendActive(text, active);
        }

        foreach (var (destinationId, destination) in cluster.Destinations)
        {
            var checkedAs = destination.Health is null && destination.Host is null ? "" : $", checked at {destination.Health ?? "its address"} as {destination.Host ?? "its host"}";
            Line(text, $"  destination {destinationId}: {destination.Address}, weight {destination.Weight}, backup {destination.Backup}, max {Or(destination.MaxConnections)}{checkedAs}");
        }
    }

    private static void AppendActive(StringBuilder text, ActiveHealthCheckConfig check)
    {
        Line(text, $"  active {check.Enabled} {check.Kind}, every {check.Interval}, down {Or(check.IntervalWhenDown)}, jitter {check.Jitter}, timeout {check.Timeout}, rise {check.Rise}, fall {check.Fall}, {check.InitialState}, at {check.Address ?? "own"} {Or(check.Port)}");
        Line(text, $"    tls {check.ServerName ?? "own"} {check.Verify} {check.TrustedCertificates ?? "system"}, http {check.Method} {check.Path} {check.Host ?? "own"} {check.ExpectStatus} {check.ExpectBody ?? "none"}, as {check.User ?? "none"} {check.Database ?? "none"} {check.Password ?? "none"}");
        foreach (var step in check.Steps)
        {
            Line(text, $"    {(step.Send is null ? $"expect {step.Expect}" : $"send {step.Send}")}");
        }
    }

    private static string List<T>(IEnumerable<T> values) => $"[{string.Join(' ', values)}]";

    private static string Or<T>(T? value)
        where T : struct
        => value is null ? "default" : string.Create(CultureInfo.InvariantCulture, $"{value}");

    /// <summary>What is not as it is without a word.</summary>
    private static string AccessLogOf(AccessLogConfig log) => string.Concat(
        log.Template is null ? "" : $", template {log.Template}",
        log.Start ? ", start" : "",
        log.Interval is null ? "" : $", interval {log.Interval}",
        log.Ja4 ? ", ja4" : "",
        log.TcpInfo ? ", tcp info" : "",
        log.Syslog is { } syslog ? $", syslog {syslog.Address} {syslog.Facility}.{syslog.Severity} {syslog.Tag}" : "",
        log.Rotate is { } rotate ? $", rotate {Or(rotate.MaxBytes)} {rotate.Every} keep {rotate.Keep}" : "",
        string.Concat(log.If.Select(rule => $", if [{string.Join(' ', rule.EndReasons)}] [{string.Join(' ', rule.Routes)}] [{string.Join(' ', rule.Listeners)}] {rule.MinDuration} {rule.Sample?.ToString(CultureInfo.InvariantCulture)}")));

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private static string ProxyProtocolOf(ListenerConfig listener)
        => listener.ProxyProtocol is { } proxy ? $", PROXY {proxy.Mode} from {string.Join(' ', proxy.TrustedNetworks)} within {proxy.Timeout}" : "";
}
