using Microsoft.Extensions.Logging;

namespace KestrelStream.TestKit;

/// <summary>One log event.</summary>
public sealed record LoggedEvent(LogLevel Level, int Id, string Message, Exception? Exception);
