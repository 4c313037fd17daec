namespace KestrelStream.Load.Scenarios;

/// <summary>One measurement of one proxy in one round.</summary>
/// <param name="Figure">CPU per unit, in the scenario's unit.</param>
/// <param name="Errors">What went wrong; anything but 0 voids the proxy's figure.</param>
/// <param name="FirstError">Explanation of the first.</param>
internal sealed record CpuSample(double Figure, int Errors, string? FirstError);
