using System.Text.Json;

namespace KestrelStream.Admin.Live;

/// <summary>
/// The last quarter of an hour of one thing: sessions, new sessions, bytes each way, a step every <see cref="TrafficHistory.Step"/>. Small at first; written
/// and read under the lock of its <see cref="TrafficHistory"/>.
/// </summary>
internal sealed class HistorySeries
{
    private const int Columns = 4;
    private const int FirstSteps = 12;

    private float[] _values = new float[FirstSteps * Columns];
    private int _next;
    private int _count;
    private bool _hasLast;
    private long _lastTotal;
    private long _lastIn;
    private long _lastOut;

    /// <summary>Bytes of its values.</summary>
    public int Size => _values.Length * sizeof(float);

    /// <param name="active">Now.</param>
    /// <param name="total">Since start.</param>
    /// <param name="bytesIn">Since start.</param>
    /// <param name="bytesOut">Since start.</param>
    /// <param name="seconds">Since the step before.</param>
    public void Add(long active, long total, long bytesIn, long bytesOut, double seconds)
    {
        var capacity = _values.Length / Columns;
        if (_next == capacity && capacity < TrafficHistory.Steps)
        {
            Array.Resize(ref _values, Math.Min(capacity * 2, TrafficHistory.Steps) * Columns);
            capacity = _values.Length / Columns;
        }

        _next = _next == capacity ? 0 : _next;
        var step = _next++ * Columns;
        _values[step] = active;
        _values[step + 1] = _hasLast ? Rate(total - _lastTotal, seconds) : 0;
        _values[step + 2] = _hasLast ? Rate(bytesIn - _lastIn, seconds) : 0;
        _values[step + 3] = _hasLast ? Rate(bytesOut - _lastOut, seconds) : 0;
        (_hasLast, _lastTotal, _lastIn, _lastOut) = (true, total, bytesIn, bytesOut);
        _count = Math.Min(_count + 1, TrafficHistory.Steps);
    }

    /// <summary>Arrays, the oldest step first.</summary>
    /// <param name="json">Gets them as properties of an object.</param>
    /// <param name="names">Of the columns; null = left out.</param>
    public void WriteTo(Utf8JsonWriter json, string?[] names)
    {
        for (var column = 0; column < Columns; column++)
        {
            if (names[column] is not { } name)
            {
                continue;
            }

            json.WriteStartArray(name);
            for (var i = 0; i < _count; i++)
            {
                var step = (_next - _count + i + TrafficHistory.Steps) % TrafficHistory.Steps;
                json.WriteNumberValue(Math.Round((decimal)_values[step * Columns + column], 2));
            }

            json.WriteEndArray();
        }
    }

    private static float Rate(long count, double seconds) => seconds > 0 ? (float)(Math.Max(0, count) / seconds) : 0;
}
