namespace KestrelStream.Admin;

/// <summary>Answer of <c>/readyz</c>.</summary>
/// <param name="Status">Ready, Starting or Draining.</param>
internal sealed record ApiReadiness(string Status);
