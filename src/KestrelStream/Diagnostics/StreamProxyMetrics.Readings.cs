using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using System.Text.Json;
using KestrelStream.Admin;
using KestrelStream.Configuration;
using KestrelStream.Dialing.Warm;
using KestrelStream.Discovery;
using KestrelStream.Health;
using KestrelStream.Limits;
using KestrelStream.Health.Checks;
using KestrelStream.Model;
using KestrelStream.Preread;
using KestrelStream.Sessions;
using KestrelStream.Transport;

namespace KestrelStream.Diagnostics;

/// <content>What the cells say now: for the instruments, the Prometheus text and the API.</content>
internal sealed partial class StreamProxyMetrics
{
    /// <summary>Those of <see cref="Readings"/> that have a series for every route or destination.</summary>
    public IReadOnlyList<(MetricFamily Family, Func<IEnumerable<SeriesReading>> Read)> SeriesReadings =>
    [
        (MetricFamily.Sessions, ReadSessions),
        (MetricFamily.DestinationUp, ReadDestinationsUp),
        (MetricFamily.DestinationActiveSessions, ReadDestinationSessions),
        (MetricFamily.DestinationEjections, ReadDestinationEjections),
        (MetricFamily.DestinationState, ReadDestinationStates),
        (MetricFamily.DestinationWeight, ReadDestinationWeights),
    ];

    /// <summary>Metrics that are no histograms, each with what reads all its series.</summary>
    public IReadOnlyList<(MetricFamily Family, Func<IEnumerable<Measurement<long>>> Read)> Readings =>
    [
        .. FewReadings,
        .. SeriesReadings.Select(series => (series.Family, (Func<IEnumerable<Measurement<long>>>)(() => series.Read().Select(reading => reading.ToMeasurement())))),
    ];

    /// <summary>Those of <see cref="Readings"/> that are not among <see cref="SeriesReadings"/>.</summary>
    public IReadOnlyList<(MetricFamily Family, Func<IEnumerable<Measurement<long>>> Read)> FewReadings =>
    [
        (MetricFamily.ActiveSessions, ReadActiveSessions),
        (MetricFamily.Bytes, ReadBytes),
        (MetricFamily.DialFailures, ReadDialFailures),
        (MetricFamily.TlsHandshakes, ReadHandshakes),
        (MetricFamily.TlsNegotiated, ReadNegotiated),
        (MetricFamily.LoopHandshakesWaiting, ReadHandshakesWaiting),
        (MetricFamily.LoopHandshakeSteps, ReadHandshakeSteps),
        (MetricFamily.Prereads, ReadPrereads),
        (MetricFamily.MalformedHellos, ReadMalformedHellos),
        (MetricFamily.AcceptErrors, ReadAcceptErrors),
        (MetricFamily.NameSessions, ReadNames),
        (MetricFamily.Limited, ReadLimited),
        (MetricFamily.LimitClients, () => [new Measurement<long>(_limits.Clients.Count)]),
        (MetricFamily.UpstreamTlsHandshakes, ReadUpstreamHandshakes),
        (MetricFamily.DestinationWarmConnections, ReadWarmConnections),
        (MetricFamily.DestinationWarmTakes, ReadWarmTakes),
        (MetricFamily.DiscoveryRefreshes, ReadLookups),
        (MetricFamily.DiscoveryMembers, ReadMembers),
        (MetricFamily.QueueLength, ReadQueueLengths),
        (MetricFamily.HealthChecks, ReadHealthChecks),
        (MetricFamily.DestinationCertificateExpiry, ReadDestinationCertificates),
        (MetricFamily.DestinationUncoveredNames, ReadUncoveredNames),
        (MetricFamily.ConfigReloads, ReadReloads),
        (MetricFamily.AdminChanges, ReadChanges),
        (MetricFamily.CertificateExpiry, ReadCertificateExpiries),
        (MetricFamily.CertificateChanges, ReadCertificateChanges),
        (MetricFamily.EchHellos, ReadEchHellos),
        (MetricFamily.OcspAnswers, Ocsp.ReadCounts),
        (MetricFamily.ClientOcspAnswers, ClientOcsp.ReadCounts),
        (MetricFamily.OcspExpiry, () => Ocsp.ReadExpiries(_time.GetUtcNow())),
        (MetricFamily.AcmeOrders, ReadAcmeOrders),
        (MetricFamily.AccessLogDropped, () => [new Measurement<long>(Interlocked.Read(ref _accessLogDropped))]),
    ];

    /// <summary>As <see cref="Readings"/>, those in seconds with fractions.</summary>
    public IReadOnlyList<(MetricFamily Family, Func<IEnumerable<Measurement<double>>> Read)> TimeReadings =>
    [
        (MetricFamily.LoopBusy, () => ReadLoops(loop => loop.Busy)),
        (MetricFamily.LoopLag, () => ReadLoops(loop => loop.Lag)),
    ];

    /// <summary>Every series of the histograms; the label is empty where there is none. Clusters that were never dialled are left out.</summary>
    public IEnumerable<(MetricFamily Family, string Cluster, HistogramCells Cells)> Histograms =>
    [
        (MetricFamily.SessionDuration, "", _sessionDurations),
        .. InOrder(_dials).Where(dials => !dials.Value.IsEmpty).Select(dials => (MetricFamily.DialDuration, dials.Key, dials.Value)),
        .. InOrder(_queues).Select(queue => (MetricFamily.QueueDuration, queue.Key, queue.Value)),
        (MetricFamily.TlsHandshakeDuration, "", _handshakeDurations),
        .. InOrder(_upstreamTls).Select(cluster => (MetricFamily.UpstreamTlsHandshakeDuration, cluster.Key, cluster.Value.Durations)),
    ];

    /// <summary>What is counted of a listener.</summary>
    public ListenerCells Of(ListenerModel listener) => CellsOf(listener);

    /// <summary>Every listener so far, in the order of ids, with its bytes as of now.</summary>
    public ListenerCells[] ReadListeners()
    {
        var listeners = Listeners();
        _bytes.Read(listeners, _cellsOf);
        return listeners;
    }

    private static KeyValuePair<string, object?> Label(string name, string value) => new(name, value);

    private static IOrderedEnumerable<KeyValuePair<string, T>> InOrder<T>(IEnumerable<KeyValuePair<string, T>> map)
        => map.OrderBy(pair => pair.Key, StringComparer.Ordinal);

    /// <summary>Bound listeners show from their first moment, with zeros.</summary>
    private ListenerCells[] Listeners()
    {
        foreach (var listener in _state?.Listeners ?? [])
        {
            CellsOf(listener.Model);
        }

        return _listeners;
    }

    private IEnumerable<Measurement<long>> ReadActiveSessions()
        => Listeners().Select(listener => new Measurement<long>(listener.Active, Label("listener", listener.Id)));

    /// <summary>Reasons that have not occurred are left out: most of the thirty never do.</summary>
    private IEnumerable<SeriesReading> ReadSessions()
    {
        foreach (var route in Listeners().SelectMany(listener => listener.Routes))
        {
            for (var reason = SessionEndReason.None; (int)reason < SessionEndReasons.Count; reason++)
            {
                if (route.Ended(reason) is > 0 and var count)
                {
                    yield return new SeriesReading(route.LabelsOf(reason), count);
                }
            }
        }
    }

    private IEnumerable<Measurement<long>> ReadBytes()
    {
        foreach (var listener in ReadListeners())
        {
            yield return new Measurement<long>(listener.BytesIn, Label("listener", listener.Id), Label("direction", "in"));
            yield return new Measurement<long>(listener.BytesOut, Label("listener", listener.Id), Label("direction", "out"));
        }
    }

    /// <summary>What no session has met is left out. The route is empty where the limit is the listener's.</summary>
    private IEnumerable<Measurement<long>> ReadLimited()
    {
        foreach (var (met, counts) in _limited.OrderBy(pair => pair.Key.Listener, StringComparer.Ordinal).ThenBy(pair => pair.Key.Route, StringComparer.Ordinal).ThenBy(pair => pair.Key.Limit))
        {
            for (var outcome = 0; outcome < counts.Length; outcome++)
            {
                if (Volatile.Read(ref counts[outcome]) is > 0 and var count)
                {
                    yield return new Measurement<long>(
                        count,
                        Label("listener", met.Listener),
                        Label("route", met.Route),
                        Label("limit", LimitKinds.NameOf(met.Limit)),
                        Label("action", LimitOutcomes.NameOf((LimitOutcome)outcome)));
                }
            }
        }
    }

    private IEnumerable<Measurement<long>> ReadDialFailures()
    {
        foreach (var ((cluster, destination), counts) in _dialFailures.OrderBy(pair => pair.Key.Cluster, StringComparer.Ordinal).ThenBy(pair => pair.Key.Destination, StringComparer.Ordinal))
        {
            for (var status = 0; status < counts.Length; status++)
            {
                if (Volatile.Read(ref counts[status]) is > 0 and var count)
                {
                    yield return new Measurement<long>(
                        count,
                        Label("cluster", cluster),
                        Label("destination", destination),
                        Label("reason", ConnectStatuses.NameOf((ConnectStatus)status)));
                }
            }
        }
    }

    private IEnumerable<Measurement<long>> ReadHandshakes()
        => Listeners().SelectMany(listener => ListenerCells.HandshakeResultNames.Select((result, i) =>
            new Measurement<long>(listener.Handshakes(i), Label("listener", listener.Id), Label("result", result))));

    private ImmutableArray<ClusterState> Clusters() => _state?.Current?.ClustersInOrder ?? [];

    /// <summary>What nobody has asked for is left out.</summary>
    private IEnumerable<Measurement<long>> ReadChanges()
    {
        foreach (var change in Enum.GetValues<AdminChange>())
        {
            foreach (var outcome in Enum.GetValues<ChangeOutcome>())
            {
                if (Volatile.Read(ref _changes[(int)change, (int)outcome]) is > 0 and var count)
                {
                    yield return new Measurement<long>(
                        count,
                        Label("change", JsonNamingPolicy.SnakeCaseLower.ConvertName(change.ToString())),
                        Label("result", JsonNamingPolicy.SnakeCaseLower.ConvertName(outcome.ToString())));
                }
            }
        }
    }

    /// <summary>Clusters that have no queue are left out.</summary>
    private IEnumerable<Measurement<long>> ReadQueueLengths()
        => from cluster in Clusters()
           where cluster.QueueLength > 0 || cluster.Model.Config.Queue is { MaxLength: > 0 }
           select new Measurement<long>(cluster.QueueLength, Label("cluster", cluster.Id));

    private IEnumerable<Measurement<long>> ReadHealthChecks()
    {
        foreach (var ((cluster, destination), counts) in _healthChecks.OrderBy(pair => pair.Key.Cluster, StringComparer.Ordinal).ThenBy(pair => pair.Key.Destination, StringComparer.Ordinal))
        {
            for (var result = 0; result < counts.Length; result++)
            {
                if (Volatile.Read(ref counts[result]) is > 0 and var count)
                {
                    yield return new Measurement<long>(
                        count,
                        Label("cluster", cluster),
                        Label("destination", destination),
                        Label("result", CheckResults.NameOf((CheckResult)result)));
                }
            }
        }
    }

    private IEnumerable<Measurement<long>> ReadReloads() =>
    [
        new(Interlocked.Read(ref _reloadsApplied), Label("result", "applied")),
        new(Interlocked.Read(ref _reloadsRejected), Label("result", "rejected")),
    ];

    /// <summary>One series a certificate of the configuration, however many a folder has.</summary>
    private IEnumerable<Measurement<long>> ReadCertificateExpiries()
    {
        var now = _time.GetUtcNow();
        return from certificate in Certificates()
               where certificate.FirstToEnd is not null
               select new Measurement<long>((long)(certificate.FirstToEnd!.Value - now).TotalSeconds, Label("certificate", certificate.Id));
    }

    private IEnumerable<Measurement<long>> ReadCertificateChanges()
        => Certificates().SelectMany(certificate => new Measurement<long>[]
        {
            new(certificate.Changes.Taken, Label("certificate", certificate.Id), Label("result", "taken")),
            new(certificate.Changes.Refused, Label("certificate", certificate.Id), Label("result", "refused")),
        });

    private IEnumerable<Measurement<long>> ReadAcmeOrders()
        => (_state?.Issuances ?? []).OrderBy(issuance => issuance.Id, StringComparer.Ordinal).SelectMany(issuance => new Measurement<long>[]
        {
            new(issuance.Issued, Label("certificate", issuance.Id), Label("result", "issued")),
            new(issuance.Failed, Label("certificate", issuance.Id), Label("result", "failed")),
        });

    private IEnumerable<CertificateStatus> Certificates() => (_state?.Certificates ?? []).OrderBy(certificate => certificate.Id, StringComparer.Ordinal);

    private IEnumerable<Measurement<long>> ReadEchHellos()
        => Listeners().SelectMany(listener => new Measurement<long>[]
        {
            new(listener.EchHellos(EncryptedHello.Inner), Label("listener", listener.Id), Label("type", "inner")),
            new(listener.EchHellos(EncryptedHello.Outer), Label("listener", listener.Id), Label("type", "outer")),
        });
}
