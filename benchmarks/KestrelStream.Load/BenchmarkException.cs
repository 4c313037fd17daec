namespace KestrelStream.Load;

/// <summary>The run cannot go on; the message is for the person who started it.</summary>
internal sealed class BenchmarkException(string message) : Exception(message);
