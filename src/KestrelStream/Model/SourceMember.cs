using KestrelStream.Configuration;

namespace KestrelStream.Model;

/// <summary>One of the destinations that a <see cref="DestinationSource"/> stands for.</summary>
/// <param name="Id">The configured one, <c>@</c>, and the address.</param>
/// <param name="Address">Where to dial.</param>
/// <param name="HostName">What it is called; null = it is configured by its address.</param>
/// <param name="Config">What the configuration and the answer say together.</param>
/// <param name="Tier">Every tier of backups comes after every other one; among those of an SRV name the lowest priority is first.</param>
internal readonly record struct SourceMember(string Id, ProxyAddress Address, string? HostName, DestinationConfig Config, (bool IsBackup, int Rank) Tier);
