using System.Buffers;
using System.Globalization;
using System.Text.Unicode;

namespace KestrelStream.Diagnostics;

/// <summary>
/// The Prometheus text format, version 0.0.4: a line at a time into a large block, as a scrape has tens of thousands and asking for room has its cost. One
/// for each text, which is whole after <see cref="Flush"/>; not thread-safe.
/// </summary>
internal sealed class PrometheusTextWriter(IBufferWriter<byte> output)
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Of a response each is a chunk.</summary>
    private const int BlockBytes = 32 * 1024;

    /// <summary>Longest form of a number, with room to spare.</summary>
    private const int MaxNumberBytes = 32;

    /// <summary>Of a UTF-16 unit as UTF-8; an escaped character has two.</summary>
    private const int MaxBytesPerChar = 3;

    private static readonly SearchValues<char> ToEscape = SearchValues.Create("\\\"\n");

    private readonly ArrayBufferWriter<byte> _prefix = new();
    private Memory<byte> _block;
    private int _used;

    /// <summary>Labels as they stand between a name and its value.</summary>
    public static byte[] Format(ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        var text = new byte[SizeOfLabels(labels)];
        var line = new Line(text);
        AppendLabels(ref line, labels);
        return text[..line.Length];
    }

    /// <summary>Begins a metric; its samples follow at once.</summary>
    public void WriteFamily(MetricFamily family)
    {
        var line = Begin((2 * family.Utf8Name.Length) + (family.Help.Length * MaxBytesPerChar) + 40);
        line.Append("# HELP "u8);
        line.Append(family.Utf8Name);
        line.Append(" "u8);
        line.Append(family.Help);
        line.Append("\n# TYPE "u8);
        line.Append(family.Utf8Name);
        line.Append(family.Kind switch
        {
            MetricKind.Counter => " counter\n"u8,
            MetricKind.Histogram => " histogram\n"u8,
            _ => " gauge\n"u8,
        });
        _used += line.Length;
    }

    /// <param name="family">Its metric.</param>
    /// <param name="labels">As <see cref="Format"/> has made them.</param>
    /// <param name="value">The number.</param>
    public void WriteSample(MetricFamily family, byte[] labels, long value)
    {
        var line = Begin(family.Utf8Name.Length + labels.Length + MaxNumberBytes + 1);
        line.Append(family.Utf8Name);
        line.Append(labels);
        line.Append(value);
        line.Append("\n"u8);
        _used += line.Length;
    }

    public void WriteSample<T>(MetricFamily family, ReadOnlySpan<KeyValuePair<string, object?>> labels, T value)
        where T : struct, IUtf8SpanFormattable
    {
        var line = Begin(family.Utf8Name.Length + SizeOfLabels(labels) + MaxNumberBytes + 1);
        line.Append(family.Utf8Name);
        AppendLabels(ref line, labels);
        line.Append(value);
        line.Append("\n"u8);
        _used += line.Length;
    }

    /// <param name="family">A histogram.</param>
    /// <param name="cluster">Label value; empty = no label.</param>
    /// <param name="cells">Its values.</param>
    public void WriteHistogram(MetricFamily family, string cluster, HistogramCells cells)
    {
        var count = 0L;
        var prefix = Prefix(family, "_bucket"u8, cluster, cluster.Length == 0 ? "{le=\""u8 : ",le=\""u8);
        for (var bucket = 0; bucket <= cells.Bounds.Seconds.Count; bucket++)
        {
            count += cells.CountIn(bucket);
            var line = Begin(prefix.Length + (2 * MaxNumberBytes));
            line.Append(prefix);
            line.Append(cells.Bounds.Utf8Text[bucket]);
            line.Append("\"} "u8);
            line.Append(count);
            line.Append("\n"u8);
            _used += line.Length;
        }

        var end = cluster.Length == 0 ? " "u8 : "} "u8;
        WriteNumber(Prefix(family, "_sum"u8, cluster, end), cells.Sum.TotalSeconds);
        WriteNumber(Prefix(family, "_count"u8, cluster, end), count);
    }

    /// <summary>Hands over what has been written.</summary>
    public void Flush()
    {
        if (_used > 0)
        {
            output.Advance(_used);
        }

        (_block, _used) = (default, 0);
    }

    private static int SizeOfLabels(ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        var size = 2;
        foreach (var (name, text) in labels)
        {
            size += SizeOfLabel(name, (string)text!);
        }

        return size;
    }

    private static void AppendLabels(ref Line line, ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        var separator = (byte)'{';
        foreach (var (name, text) in labels)
        {
            AppendLabel(ref line, separator, name, (string)text!);
            separator = (byte)',';
        }

        line.Append(labels.IsEmpty ? " "u8 : "} "u8);
    }

    private static int SizeOfLabel(string name, string value) => name.Length + (value.Length * MaxBytesPerChar) + 4;

    private static void AppendLabel(ref Line line, byte separator, string name, string value)
    {
        line.Append([separator]);
        line.Append(name);
        line.Append("=\""u8);
        var rest = value.AsSpan();
        for (int i; (i = rest.IndexOfAny(ToEscape)) >= 0; rest = rest[(i + 1)..])
        {
            line.Append(rest[..i]);
            line.Append(rest[i] switch
            {
                '\\' => "\\\\"u8,
                '"' => "\\\""u8,
                _ => "\\n"u8,
            });
        }

        line.Append(rest);
        line.Append("\""u8);
    }

    /// <summary>Everything of a line before what differs from the next. Valid until the next one is made.</summary>
    private ReadOnlySpan<byte> Prefix(MetricFamily family, ReadOnlySpan<byte> suffix, string cluster, ReadOnlySpan<byte> end)
    {
        _prefix.ResetWrittenCount();
        var line = new Line(_prefix.GetSpan(family.Utf8Name.Length + suffix.Length + SizeOfLabel("cluster", cluster) + end.Length));
        line.Append(family.Utf8Name);
        line.Append(suffix);
        if (cluster.Length > 0)
        {
            AppendLabel(ref line, (byte)'{', "cluster", cluster);
        }

        line.Append(end);
        _prefix.Advance(line.Length);
        return _prefix.WrittenSpan;
    }

    private void WriteNumber<T>(ReadOnlySpan<byte> prefix, T value)
        where T : struct, IUtf8SpanFormattable
    {
        var line = Begin(prefix.Length + MaxNumberBytes + 1);
        line.Append(prefix);
        line.Append(value);
        line.Append("\n"u8);
        _used += line.Length;
    }

    private Line Begin(int size)
    {
        if (_block.Length - _used < size)
        {
            Flush();
            _block = output.GetMemory(Math.Max(size, BlockBytes));
        }

        return new Line(_block.Span[_used..]);
    }

    /// <summary>Room that is large enough, filled from its start.</summary>
    private ref struct Line(Span<byte> room)
    {
        private readonly Span<byte> _room = room;

        public int Length { get; private set; }

        public void Append(scoped ReadOnlySpan<byte> text)
        {
            text.CopyTo(_room[Length..]);
            Length += text.Length;
        }

        public void Append(scoped ReadOnlySpan<char> text)
        {
            Utf8.FromUtf16(text, _room[Length..], out _, out var written);
            Length += written;
        }

        public void Append<T>(T number)
            where T : struct, IUtf8SpanFormattable
        {
            var fits = number.TryFormat(_room[Length..], out var written, default, CultureInfo.InvariantCulture);
            System.Diagnostics.Debug.Assert(fits);
            Length += written;
        }
    }
}
