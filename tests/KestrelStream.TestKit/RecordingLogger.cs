using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace KestrelStream.TestKit;

/// <summary>Keeps what was logged. Thread-safe.</summary>
public sealed class RecordingLogger : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<LoggedEvent> _events = new();

    public IReadOnlyCollection<LoggedEvent> Events => _events;

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => _events.Enqueue(new LoggedEvent(logLevel, eventId.Id, formatter(state, exception), exception));

    public void Dispose()
    {
    }
}
