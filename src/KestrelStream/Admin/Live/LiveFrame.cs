using System.Buffers;
using System.Text.Json;
using KestrelStream.Configuration;
using KestrelStream.Health.Checks;

namespace KestrelStream.Admin.Live;

/// <summary>
/// One second of the dashboard. What has changed since the frame before is written once for all who have that one; everything, and the model, when
/// somebody asks who has not. Immutable but for what is kept once it is written; thread-safe.
/// </summary>
internal sealed class LiveFrame(long number, long model, TrafficReading reading, LiveFrame? before, LiveFacts facts)
{
    private readonly LiveRows _rows = LiveRows.Of(reading, LiveModel.MaxRoutes);
    private readonly LiveRows? _before = before?.Model == model ? before._rows : null;
    private byte[]? _changes;

    /// <summary>Number of the frame that <see cref="Changes"/> go on from; 0 = none.</summary>
    public long Previous { get; } = before?.Model == model ? before.Number : 0;

    /// <summary>One more with each.</summary>
    public long Number { get; } = number;

    /// <summary>Number of the model that its rows belong to.</summary>
    public long Model { get; } = model;

    public TrafficReading Reading { get; } = reading;

    /// <summary>For who has the frame before, of the same model.</summary>
    public ReadOnlyMemory<byte> Changes => _changes ??= Write(_before);

    /// <summary>For who has the model and no frame, or an older one.</summary>
    public ReadOnlyMemory<byte> Everything => Write(null);

    /// <summary>What there is.</summary>
    public ReadOnlyMemory<byte> WriteModel()
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            LiveModel.Write(json, Reading);
        }

        return bytes.WrittenMemory;
    }

    private byte[] Write(LiveRows? before)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteNumber("t", facts.Time.ToUnixTimeMilliseconds());
            json.WriteNumber("n", Number);
            json.WriteBoolean("all", before is null);
            json.WriteBoolean("draining", facts.IsDraining);
            json.WriteNumber("refused", facts.Refused);
            json.WriteNumber("events", facts.Events);
            WriteRows(json, "l", _rows.Listeners, before?.Listeners, Write);
            WriteRows(json, "r", _rows.Routes, before?.Routes, Write);
            WriteRows(json, "q", _rows.Queues, before?.Queues, static (json, queue) => json.WriteNumberValue(queue));
            WriteRows(json, "m", _rows.Members, before?.Members, Write);
            WriteRows(json, "h", _rows.States, before?.States, Write);
            json.WriteEndObject();
        }

        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Rows that differ, each behind its number.</summary>
    private static void WriteRows<T>(Utf8JsonWriter json, string name, T[] rows, T[]? before, Action<Utf8JsonWriter, T> write)
        where T : IEquatable<T>
    {
        json.WriteStartArray(name);
        for (var i = 0; i < rows.Length; i++)
        {
            if (before is null || !rows[i].Equals(before[i]))
            {
                json.WriteStartArray();
                json.WriteNumberValue(i);
                write(json, rows[i]);
                json.WriteEndArray();
            }
        }

        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, LiveRows.Listener row)
    {
        json.WriteNumberValue(row.Active);
        json.WriteNumberValue(row.Most);
        json.WriteNumberValue(row.Total);
        json.WriteNumberValue(row.In);
        json.WriteNumberValue(row.Out);
    }

    private static void Write(Utf8JsonWriter json, LiveRows.Route row)
    {
        json.WriteNumberValue(row.Active);
        json.WriteNumberValue(row.Total);
        json.WriteNumberValue(row.In);
        json.WriteNumberValue(row.Out);
    }

    private static void Write(Utf8JsonWriter json, LiveRows.Member row)
    {
        json.WriteNumberValue(row.Active);
        json.WriteNumberValue(row.Most);
        json.WriteNumberValue(row.Total);
        json.WriteNumberValue(row.In);
        json.WriteNumberValue(row.Out);
        json.WriteNumberValue(row.DialFailures);
        json.WriteNumberValue(row.Failed);
    }

    private static void Write(Utf8JsonWriter json, LiveRows.Health row)
    {
        json.WriteStringValue(row.State);
        json.WriteStringValue(row.Known.ToString());
        json.WriteNumberValue(row.Weight);
        json.WriteStringValue(ApiDestinationSettings.Word(row.Override));
        json.WriteNumberValue(row.Ejections);
        if (row.Check is { } check)
        {
            json.WriteStringValue(CheckResults.NameOf(check.Result));
            json.WriteStringValue(check.Detail);
            json.WriteNumberValue(Math.Round(check.Elapsed.TotalMilliseconds, 1));
            json.WriteNumberValue(check.At.ToUnixTimeMilliseconds());
        }
    }
}
