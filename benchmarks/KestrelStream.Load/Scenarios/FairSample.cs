namespace KestrelStream.Load.Scenarios;

/// <summary>Small messages beside bulk downloads through one proxy in one round.</summary>
/// <param name="Median">Latency in microseconds that half of the messages do not exceed.</param>
/// <param name="P99">Latency in microseconds that 99 of 100 messages do not exceed.</param>
/// <param name="BulkGigabytesPerSecond">What the downloads got meanwhile, together.</param>
/// <param name="Errors">What went wrong; anything but 0 voids the proxy's figures.</param>
/// <param name="FirstError">Explanation of the first.</param>
internal sealed record FairSample(double Median, double P99, double BulkGigabytesPerSecond, int Errors, string? FirstError);
