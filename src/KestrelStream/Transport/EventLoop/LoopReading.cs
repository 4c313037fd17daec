namespace KestrelStream.Transport.EventLoop;

/// <summary>How a loop is doing.</summary>
/// <param name="Index">Its number.</param>
/// <param name="Busy">Processor time its thread has had; null = the system does not tell.</param>
/// <param name="Lag">How long the last work that was posted to it has waited; null = none has been yet.</param>
internal readonly record struct LoopReading(int Index, TimeSpan? Busy, TimeSpan? Lag);
