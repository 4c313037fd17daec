namespace KestrelStream.Load.Scenarios;

/// <summary>One start of one proxy, then idle sessions through it.</summary>
/// <param name="StartMilliseconds">From starting the process to serving.</param>
/// <param name="ResidentBytes">Resident memory after start, before any client.</param>
/// <param name="BytesPerSession">Growth of its own memory per idle session.</param>
/// <param name="Errors">Sessions that could not be opened or were lost.</param>
/// <param name="FirstError">Explanation of the first.</param>
internal sealed record IdleSample(double StartMilliseconds, long ResidentBytes, double BytesPerSession, int Errors, string? FirstError);
