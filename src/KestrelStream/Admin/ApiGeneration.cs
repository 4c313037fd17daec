namespace KestrelStream.Admin;

/// <summary>A generation of the configuration that sessions run under.</summary>
/// <param name="Id">Its number.</param>
/// <param name="ActiveSessions">Sessions that were accepted under it and run.</param>
internal sealed record ApiGeneration(long Id, int ActiveSessions);
