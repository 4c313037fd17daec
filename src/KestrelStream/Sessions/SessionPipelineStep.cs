using Microsoft.AspNetCore.Connections;

namespace KestrelStream.Sessions;

/// <summary>A step that a user has put before routing.</summary>
/// <param name="Configure">Adds it.</param>
/// <param name="MayBlock">False only when it never blocks its thread.</param>
internal sealed record SessionPipelineStep(Action<IConnectionBuilder> Configure, bool MayBlock);
