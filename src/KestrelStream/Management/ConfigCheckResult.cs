using KestrelStream.Configuration;

namespace KestrelStream.Management;

/// <summary>What <see cref="IStreamProxy.Check"/> has found.</summary>
/// <param name="Errors">What start or reload would refuse.</param>
/// <param name="Warnings">What they would not, and clients perhaps would: certificates that end soon, chains with a gap, names without a certificate, keys that anyone can read.</param>
public sealed record ConfigCheckResult(IReadOnlyList<ConfigError> Errors, IReadOnlyList<ConfigError> Warnings);
