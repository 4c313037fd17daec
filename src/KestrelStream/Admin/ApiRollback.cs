namespace KestrelStream.Admin;

/// <summary>Answer of <c>/api/config/rollback</c>.</summary>
/// <param name="Generation">Number of the configuration that is in force now.</param>
internal sealed record ApiRollback(long Generation);
