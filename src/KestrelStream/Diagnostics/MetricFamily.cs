namespace KestrelStream.Diagnostics;

/// <summary>A metric's name, kind, unit and meaning. Names are public surface.</summary>
/// <param name="Name">Dotted, as instruments of <see cref="System.Diagnostics.Metrics"/> are named.</param>
/// <param name="Kind">What its values do.</param>
/// <param name="Unit">UCUM: <c>s</c>, <c>By</c>, or what is counted in braces; null = none.</param>
/// <param name="Help">Its meaning, one line of ASCII without backslash.</param>
internal sealed record MetricFamily(string Name, MetricKind Kind, string? Unit, string Help)
{
    public static readonly MetricFamily ActiveSessions = new(
        "kestrelstream.active_sessions", MetricKind.UpDownCounter, "{session}", "Sessions that run now.");

    public static readonly MetricFamily Sessions = new(
        "kestrelstream.sessions", MetricKind.Counter, "{session}", "Sessions that have ended, by reason.");

    public static readonly MetricFamily Bytes = new(
        "kestrelstream.bytes", MetricKind.Counter, "By", "Payload relayed, running sessions included; in = from clients.");

    public static readonly MetricFamily SessionDuration = new(
        "kestrelstream.session.duration", MetricKind.Histogram, "s", "Time from accept to the end of a session.");

    public static readonly MetricFamily DialDuration = new(
        "kestrelstream.dial.duration", MetricKind.Histogram, "s", "Time of the dials that connected.");

    public static readonly MetricFamily DialFailures = new(
        "kestrelstream.dial.failures", MetricKind.Counter, "{dial}", "Dials that did not connect, by reason.");

    public static readonly MetricFamily TlsHandshakeDuration = new(
        "kestrelstream.tls_handshake.duration", MetricKind.Histogram, "s", "Time of the handshakes with clients that succeeded.");

    public static readonly MetricFamily TlsHandshakes = new(
        "kestrelstream.tls_handshakes", MetricKind.Counter, "{handshake}", "Handshakes with clients whose TLS ends here.");

    public static readonly MetricFamily TlsNegotiated = new(
        "kestrelstream.tls_negotiated", MetricKind.Counter, "{handshake}", "Handshakes with clients that succeeded, by what was agreed on.");

    public static readonly MetricFamily Prereads = new(
        "kestrelstream.prereads", MetricKind.Counter, "{session}", "Sessions whose first bytes were looked at, by what became of them.");

    public static readonly MetricFamily MalformedHellos = new(
        "kestrelstream.malformed_hellos", MetricKind.Counter, "{session}", "ClientHellos that were refused, by the rule that they broke.");

    public static readonly MetricFamily AcceptErrors = new(
        "kestrelstream.accept_errors", MetricKind.Counter, "{error}", "Times that a connection could not be accepted, by reason.");

    public static readonly MetricFamily NameSessions = new(
        "kestrelstream.name_sessions", MetricKind.Counter, "{session}", "Sessions by server name: the most frequent names since they are among them, and all others.");

    public static readonly MetricFamily LoopBusy = new(
        "kestrelstream.loop.busy", MetricKind.Counter, "s", "Processor time of an event loop's thread: its rate is the loop's utilisation.");

    public static readonly MetricFamily LoopLag = new(
        "kestrelstream.loop.lag", MetricKind.Gauge, "s", "Time that work posted to an event loop has waited for it, at the scrape before.");

    public static readonly MetricFamily LoopHandshakesWaiting = new(
        "kestrelstream.loop.handshakes_waiting", MetricKind.UpDownCounter, "{handshake}", "TLS handshakes that have something to do and wait for their turn.");

    public static readonly MetricFamily LoopHandshakeSteps = new(
        "kestrelstream.loop.handshake_steps", MetricKind.Counter, "{step}", "Steps of TLS handshakes by the thread that took them: the loop's, or its helper's.");

    public static readonly MetricFamily Limited = new(
        "kestrelstream.limited", MetricKind.Counter, "{event}", "Sessions and handshakes that met a limit, by what became of them; no route = a limit of the listener.");

    public static readonly MetricFamily LimitClients = new(
        "kestrelstream.limit_clients", MetricKind.UpDownCounter, "{client}", "Clients that limits by client keep account of.");

    public static readonly MetricFamily UpstreamTlsHandshakeDuration = new(
        "kestrelstream.upstream_tls_handshake.duration", MetricKind.Histogram, "s", "Time of the handshakes with destinations that succeeded.");

    public static readonly MetricFamily UpstreamTlsHandshakes = new(
        "kestrelstream.upstream_tls_handshakes", MetricKind.Counter, "{handshake}", "Handshakes with destinations of clusters that have TLS.");

    public static readonly MetricFamily DestinationUp = new(
        "kestrelstream.destination.up", MetricKind.Gauge, null, "1 = gets sessions as far as its health goes, 0 = out.");

    public static readonly MetricFamily DestinationActiveSessions = new(
        "kestrelstream.destination.active_sessions", MetricKind.UpDownCounter, "{session}", "Sessions that are dialled or relayed now.");

    public static readonly MetricFamily DestinationEjections = new(
        "kestrelstream.destination.ejections", MetricKind.Counter, "{ejection}", "Times a destination was taken out by the failures of its sessions.");

    public static readonly MetricFamily DestinationWarmConnections = new(
        "kestrelstream.destination.warm_connections", MetricKind.UpDownCounter, "{connection}", "Connections that wait for a session.");

    public static readonly MetricFamily DestinationWarmTakes = new(
        "kestrelstream.destination.warm_takes", MetricKind.Counter, "{session}", "Sessions that found a connection made ahead, and that found none, where such are kept.");

    public static readonly MetricFamily DiscoveryRefreshes = new(
        "kestrelstream.discovery.refreshes", MetricKind.Counter, "{lookup}", "Lookups of the name of a destination, by result.");

    public static readonly MetricFamily DiscoveryMembers = new(
        "kestrelstream.discovery.members", MetricKind.UpDownCounter, "{member}", "Members that the name of a destination stands for, by state.");

    public static readonly MetricFamily DestinationState = new(
        "kestrelstream.destination.state", MetricKind.Gauge, null, "1 = the state that an operator has put the destination in, 0 = another one.");

    public static readonly MetricFamily DestinationWeight = new(
        "kestrelstream.destination.weight", MetricKind.Gauge, null, "Share of sessions relative to the others; 0 = no new ones.");

    public static readonly MetricFamily AdminChanges = new(
        "kestrelstream.admin.changes", MetricKind.Counter, "{change}", "Changes that were asked for over the API, by what became of them.");

    public static readonly MetricFamily QueueLength = new(
        "kestrelstream.queue.length", MetricKind.UpDownCounter, "{session}", "Sessions that wait for a destination with room.");

    public static readonly MetricFamily QueueDuration = new(
        "kestrelstream.queue.duration", MetricKind.Histogram, "s", "Time that sessions have waited in the queue, whatever came of it.");

    public static readonly MetricFamily HealthChecks = new(
        "kestrelstream.health_checks", MetricKind.Counter, "{check}", "Active checks that have ended, by result.");

    public static readonly MetricFamily DestinationCertificateExpiry = new(
        "kestrelstream.destination.certificate_expiry", MetricKind.Gauge, "s", "Time from now to the end of the certificate that a destination showed to its last TLS check.");

    public static readonly MetricFamily DestinationUncoveredNames = new(
        "kestrelstream.destination.uncovered_names", MetricKind.Gauge, "{name}", "Names that passthrough routes send to a destination and that its TLS checks have found no certificate for.");

    public static readonly MetricFamily ConfigReloads = new(
        "kestrelstream.config_reloads", MetricKind.Counter, "{reload}", "Reloads of the configuration.");

    public static readonly MetricFamily CertificateExpiry = new(
        "kestrelstream.certificate.expiry", MetricKind.Gauge, "s", "Time from now to the certificate's end, of a folder to that of the first; negative = expired.");

    public static readonly MetricFamily CertificateChanges = new(
        "kestrelstream.certificate.changes", MetricKind.Counter, "{change}", "Changed certificate files, by what became of them: taken, refused.");

    public static readonly MetricFamily EchHellos = new(
        "kestrelstream.ech_hellos", MetricKind.Counter, "{hello}", "ClientHellos with encrypted_client_hello, GREASE included, by its type.");

    public static readonly MetricFamily OcspAnswers = new(
        "kestrelstream.ocsp.answers", MetricKind.Counter, "{answer}", "OCSP answers about our certificates, asked for or read from a file, by what they say.");

    public static readonly MetricFamily ClientOcspAnswers = new(
        "kestrelstream.client_ocsp.sessions", MetricKind.Counter, "{session}", "Sessions whose client's certificate was asked about by OCSP, by what the answer says.");

    public static readonly MetricFamily OcspExpiry = new(
        "kestrelstream.ocsp.expiry", MetricKind.Gauge, "s", "Time from now to the end of the answer that is stapled; missing = none is.");

    public static readonly MetricFamily AcmeOrders = new(
        "kestrelstream.acme.orders", MetricKind.Counter, "{order}", "Attempts to get a certificate by ACME, by result.");

    public static readonly MetricFamily AccessLogDropped = new(
        "kestrelstream.access_log.dropped", MetricKind.Counter, "{record}", "Access log records that were lost: queue full or file not writable.");

    /// <summary>As scrapers see it: <c>_</c> for dots, the unit spelled out unless the name says it, <c>_total</c> behind a counter.</summary>
    public string PrometheusName { get; } = Name.Replace('.', '_') + (Unit == "s" ? "_seconds" : "") + (Kind == MetricKind.Counter ? "_total" : "");

    /// <summary><see cref="PrometheusName"/>, as it is written.</summary>
    public byte[] Utf8Name => field ??= System.Text.Encoding.ASCII.GetBytes(PrometheusName);
}
