using System.Text.Json;
using KestrelStream.Configuration;
using KestrelStream.Health.Checks;
using KestrelStream.Model;

namespace KestrelStream.Admin.Live;

/// <summary>Writes what there is, without its numbers: sent to a page once, and again when something has come or gone. The places in its lists are the numbers of <see cref="LiveRows"/>.</summary>
internal static class LiveModel
{
    /// <summary>More than a person looks through; <c>/api/routes</c> has them all.</summary>
    public const int MaxRoutes = 1000;

    private const int MaxNames = 4;

    /// <summary>Whether two readings have the same model.</summary>
    public static bool AreSame(TrafficReading one, TrafficReading other)
        => one.Snapshot?.Generation == other.Snapshot?.Generation
            && one.Listeners.Select(line => line.Listener).SequenceEqual(other.Listeners.Select(line => line.Listener))
            && one.Clusters.Select(cluster => cluster.Model).SequenceEqual(other.Clusters.Select(cluster => cluster.Model))
            && one.Members.Select(line => line.Destination).SequenceEqual(other.Members.Select(line => line.Destination));

    public static void Write(Utf8JsonWriter json, TrafficReading reading)
    {
        json.WriteStartObject();
        json.WriteNumber("generation", reading.Snapshot?.Generation ?? 0);
        if (reading.Snapshot is { } snapshot)
        {
            json.WriteString("applied", snapshot.Applied);
        }

        WriteListeners(json, reading.Listeners);
        WriteRoutes(json, reading);
        json.WriteNumber("routes_total", reading.Routes.Count);
        WriteClusters(json, reading);
        json.WriteEndObject();
    }

    private static void WriteListeners(Utf8JsonWriter json, IReadOnlyList<ListenerTraffic> listeners)
    {
        json.WriteStartArray("listeners");
        foreach (var line in listeners)
        {
            json.WriteStartObject();
            json.WriteString("id", line.Listener.Id);
            json.WriteString("address", line.Listener.Bound.Count > 0 ? Diagnostics.EndPointText.Of(line.Listener.Bound[0]) : line.Listener.Model.Address.ToString());
            WriteLimit(json, line.Listener.Model.Config.MaxConnections);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteRoutes(Utf8JsonWriter json, TrafficReading reading)
    {
        var clusters = reading.Clusters.Index().ToDictionary(pair => pair.Item, pair => pair.Index);
        json.WriteStartArray("routes");
        foreach (var route in reading.Routes.Take(MaxRoutes).Select(line => line.Route))
        {
            json.WriteStartObject();
            json.WriteString("id", route.Id);
            json.WriteStartArray("listeners");
            for (var i = 0; i < reading.Listeners.Count; i++)
            {
                if (StateEndpoints.TakesFrom(route, reading.Listeners[i].Listener.Id))
                {
                    json.WriteNumberValue(i);
                }
            }

            json.WriteEndArray();
            json.WriteString("match", TextOf(route.Config));
            json.WriteString("action", route.Action.ToString());
            json.WriteBoolean("terminates", route.Terminates);
            if (route.Cluster is { } cluster && clusters.TryGetValue(cluster, out var number))
            {
                json.WriteNumber("cluster", number);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteClusters(Utf8JsonWriter json, TrafficReading reading)
    {
        var members = reading.Members.ToLookup(member => member.Cluster);
        json.WriteStartArray("clusters");
        foreach (var cluster in reading.Clusters)
        {
            json.WriteStartObject();
            json.WriteString("id", cluster.Id);
            json.WriteString("policy", cluster.Model.Policy.Name);
            json.WriteNumber("queue_max", cluster.Model.Config.Queue?.MaxLength ?? 0);
            json.WriteStartArray("members");
            foreach (var destination in members[cluster].Select(member => member.Destination))
            {
                WriteMember(json, destination);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteMember(Utf8JsonWriter json, DestinationState destination)
    {
        json.WriteStartObject();
        json.WriteString("id", destination.Id);
        json.WriteString("address", destination.Address.ToString());
        if (destination.Source is { } source)
        {
            json.WriteString("source", source.Id);
        }

        if (destination.Config.Backup)
        {
            json.WriteBoolean("backup", true);
        }

        WriteLimit(json, destination.Config.MaxConnections);
        json.WriteEndObject();
    }

    private static void WriteLimit(Utf8JsonWriter json, int? limit)
    {
        if (limit is { } most)
        {
            json.WriteNumber("max", most);
        }
    }

    private static string TextOf(RouteConfig route)
    {
        var match = route.Match;
        var names = match.Sni.Count == 0 ? "any name" : string.Join(", ", match.Sni.Take(MaxNames)) + (match.Sni.Count > MaxNames ? $", … ({match.Sni.Count})" : "");
        string?[] parts =
        [
            names,
            match.Alpn.Count == 0 ? null : string.Join(", ", match.Alpn.Take(MaxNames)),
            match.Protocols.Count == 0 ? null : string.Join(", ", match.Protocols),
            match.FirstBytes.Count == 0 ? null : "by first bytes",
            route.StartTls?.ToString(),
        ];
        return string.Join(" · ", parts.OfType<string>());
    }
}
