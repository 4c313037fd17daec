using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace KestrelStream.Tests.Diagnostics;

/// <summary>A strict reader of the Prometheus text format 0.0.4: whatever is not exactly as the format says fails the test.</summary>
internal sealed partial class PrometheusTextParser
{
    private readonly Dictionary<string, string> _types = [];
    private readonly HashSet<string> _helped = [];
    private readonly Dictionary<string, double> _samples = [];
    private readonly HashSet<string> _closed = [];
    private string? _family;

    private PrometheusTextParser()
    {
    }

    /// <summary>Types by metric.</summary>
    public IReadOnlyDictionary<string, string> Types => _types;

    /// <summary>Values by series, as <c>name{a="1",b="2"}</c> with label values unescaped, in the order they are written.</summary>
    public IReadOnlyDictionary<string, double> Samples => _samples;

    public static PrometheusTextParser Parse(ReadOnlySpan<byte> text)
    {
        var parser = new PrometheusTextParser();
        var lines = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(text).Split('\n');
        Assert.Equal("", lines[^1]);
        foreach (var line in lines[..^1])
        {
            if (line.StartsWith('#'))
            {
                parser.ReadComment(line);
            }
            else
            {
                parser.ReadSample(line);
            }
        }

        parser.CheckHistograms();
        return parser;
    }

    private void ReadComment(string line)
    {
        if (HelpLine().Match(line) is { Success: true } help)
        {
            Begin(help.Groups[1].Value);
            Assert.True(_helped.Add(_family!), $"Second HELP: {line}");
            return;
        }

        var type = TypeLine().Match(line);
        Assert.True(type.Success, $"Neither HELP nor TYPE: {line}");
        Assert.Equal(_family, type.Groups[1].Value);
        Assert.True(_types.TryAdd(_family!, type.Groups[2].Value), $"Second TYPE: {line}");
    }

    /// <summary>All lines of a metric stand together.</summary>
    private void Begin(string family)
    {
        Assert.False(_closed.Contains(family), $"{family} comes twice.");
        if (_family is not null)
        {
            _closed.Add(_family);
        }

        _family = family;
    }

    private void ReadSample(string line)
    {
        var sample = SampleLine().Match(line);
        Assert.True(sample.Success, $"Not a sample: {line}");
        var name = sample.Groups["name"].Value;
        var type = _types[_family!];
        var suffix = name[_family!.Length..];
        Assert.StartsWith(_family, name, StringComparison.Ordinal);
        Assert.Contains(suffix, type == "histogram" ? ["_bucket", "_sum", "_count"] : new[] { "" });

        // The same label twice, in another order, or a series twice is not allowed.
        var labels = sample.Groups["label"].Captures.Zip(sample.Groups["value"].Captures, (label, value) => (label.Value, Value: Unescape(value.Value))).ToList();
        Assert.Equal(labels.Count, labels.Select(label => label.Item1).Distinct().Count());
        Assert.Equal(suffix == "_bucket" ? 1 : 0, labels.Count(label => label.Item1 == "le"));
        var key = labels.Count == 0 ? name : $"{name}{{{string.Join(',', labels.Select(label => $"{label.Item1}=\"{label.Value}\""))}}}";
        var number = double.Parse(sample.Groups["number"].Value, NumberStyles.Float, CultureInfo.InvariantCulture);
        Assert.True(type != "counter" || number >= 0);
        Assert.True(_samples.TryAdd(key, number), $"Series twice: {key}");
    }

    /// <summary>Buckets grow, end with +Inf, and that one is the count.</summary>
    private void CheckHistograms()
    {
        foreach (var (family, _) in _types.Where(type => type.Value == "histogram"))
        {
            foreach (var series in _samples.Where(sample => sample.Key.StartsWith(family + "_bucket", StringComparison.Ordinal)).GroupBy(sample => WithoutBound(sample.Key)))
            {
                var buckets = series.Select(sample => (Bound: Bound(sample.Key), sample.Value)).ToList();
                Assert.Equal(buckets.Select(bucket => bucket.Bound).Order(), buckets.Select(bucket => bucket.Bound));
                Assert.Equal(buckets.Select(bucket => bucket.Value).Order(), buckets.Select(bucket => bucket.Value));
                Assert.Equal(double.PositiveInfinity, buckets[^1].Bound);
                Assert.Equal(buckets[^1].Value, _samples[series.Key.Replace("_bucket", "_count", StringComparison.Ordinal)]);
                Assert.Contains(series.Key.Replace("_bucket", "_sum", StringComparison.Ordinal), _samples.Keys);
            }
        }
    }

    private static string WithoutBound(string key) => BoundLabel().Replace(key, "").Replace("{}", "", StringComparison.Ordinal);

    private static double Bound(string key)
    {
        var bound = BoundLabel().Match(key).Groups[1].Value;
        return bound == "+Inf" ? double.PositiveInfinity : double.Parse(bound, CultureInfo.InvariantCulture);
    }

    private static string Unescape(string value)
        => value.Replace("\\n", "\n", StringComparison.Ordinal).Replace("\\\"", "\"", StringComparison.Ordinal).Replace("\\\\", "\\", StringComparison.Ordinal);

    [GeneratedRegex("""^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) [^\\]+$""")]
    private static partial Regex HelpLine();

    [GeneratedRegex("^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?<label>[a-zA-Z_][a-zA-Z0-9_]*)="(?<value>([^"\\\n]|\\[\\"n])*)"(,(?<label>[a-zA-Z_][a-zA-Z0-9_]*)="(?<value>([^"\\\n]|\\[\\"n])*)")*\})? (?<number>[-+]?([0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?|Inf|NaN))$""")]
    private static partial Regex SampleLine();

    [GeneratedRegex(""",?le="([^"]*)"(?=\})""")]
    private static partial Regex BoundLabel();
}
