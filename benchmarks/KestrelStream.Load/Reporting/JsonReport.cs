using System.Text.Json;
using KestrelStream.Load.Scenarios;

namespace KestrelStream.Load.Reporting;

/// <summary>The report with every sample, for comparing runs by program.</summary>
internal static class JsonReport
{
    public static void Write(Report report, string path)
    {
        using FileStream file = File.Create(path);
        using var json = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteStartArray("machine");
        foreach (string line in report.Machine)
        {
            json.WriteStringValue(line);
        }

        json.WriteEndArray();
        json.WriteNumber("rounds", report.Options.Rounds);
        json.WriteStartArray("cpu");
        foreach (CpuResult result in report.Cpu)
        {
            WriteCpu(json, result);
        }

        json.WriteEndArray();
        if (report.Fair is { } fair)
        {
            WriteFair(json, fair);
        }

        if (report.Idle is { } idle)
        {
            WriteIdle(json, ScenarioCatalog.Idle, idle);
        }

        if (report.Many is { } many)
        {
            WriteIdle(json, ScenarioCatalog.Many, many);
        }

        json.WriteEndObject();
    }

    private static void WriteCpu(Utf8JsonWriter json, CpuResult result)
    {
        json.WriteStartObject();
        json.WriteString("scenario", result.Scenario.Id);
        json.WriteString("unit", result.Scenario.Unit);
        json.WriteStartObject("proxies");
        foreach ((string proxy, List<CpuSample> samples) in result.Samples)
        {
            json.WriteStartObject(proxy);
            WriteNumber(json, "median", result.Figure(proxy));
            WriteNumber(json, "ratio", result.Ratio(proxy, Proxies.ProxyCatalog.Baseline));
            json.WriteNumber("errors", result.Errors(proxy));
            json.WriteStartArray("rounds");
            samples.ForEach(sample => json.WriteNumberValue(Math.Round(sample.Figure, 4)));
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteFair(Utf8JsonWriter json, FairResult fair)
    {
        json.WriteStartObject(ScenarioCatalog.Fair);
        json.WriteStartObject("proxies");
        foreach ((string proxy, List<FairSample> samples) in fair.Samples)
        {
            json.WriteStartObject(proxy);
            WriteNumber(json, "p99_microseconds", fair.Figure(proxy, sample => sample.P99));
            WriteNumber(json, "p99_ratio", fair.Ratio(proxy, sample => sample.P99));
            WriteNumber(json, "median_microseconds", fair.Figure(proxy, sample => sample.Median));
            WriteNumber(json, "median_ratio", fair.Ratio(proxy, sample => sample.Median));
            WriteNumber(json, "bulk_gigabytes_per_second", fair.Figure(proxy, sample => sample.BulkGigabytesPerSecond));
            json.WriteNumber("errors", fair.Errors(proxy));
            json.WriteStartArray("rounds");
            foreach (FairSample sample in samples)
            {
                json.WriteStartObject();
                json.WriteNumber("p99_microseconds", Math.Round(sample.P99, 1));
                json.WriteNumber("median_microseconds", Math.Round(sample.Median, 1));
                json.WriteNumber("bulk_gigabytes_per_second", Math.Round(sample.BulkGigabytesPerSecond, 3));
                json.WriteNumber("errors", sample.Errors);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteIdle(Utf8JsonWriter json, string name, IdleResult idle)
    {
        json.WriteStartObject(name);
        json.WriteNumber("sessions", idle.Sessions);
        json.WriteStartObject("proxies");
        foreach ((string proxy, List<IdleSample> samples) in idle.Samples)
        {
            json.WriteStartArray(proxy);
            foreach (IdleSample sample in samples)
            {
                json.WriteStartObject();
                json.WriteNumber("bytes_per_session", Math.Round(sample.BytesPerSession));
                json.WriteNumber("resident_bytes", sample.ResidentBytes);
                json.WriteNumber("start_milliseconds", Math.Round(sample.StartMilliseconds, 1));
                json.WriteNumber("errors", sample.Errors);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, Math.Round(number, 4));
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
