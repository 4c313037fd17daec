using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Tests.Tls;

/// <summary>Keeps what is logged. Thread-safe.</summary>
internal sealed class RecordingLogger<T> : ILogger<T>
{
    private readonly ConcurrentQueue<(LogLevel Level, EventId Event, string Message)> _records = new();

    public IReadOnlyList<(LogLevel Level, EventId Event, string Message)> Records => [.. _records];

    public IEnumerable<string> Of(LogLevel level) => Records.Where(record => record.Level == level).Select(record => record.Message);

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _records.Enqueue((logLevel, eventId, formatter(state, exception)));
}
