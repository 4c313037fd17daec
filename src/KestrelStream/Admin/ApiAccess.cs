namespace KestrelStream.Admin;

/// <summary>Answer of <c>/api/access</c>.</summary>
/// <param name="Changes">Whether whoever asked may change things.</param>
/// <param name="Needs"><c>token</c> = the token of the configuration; <c>nothing</c>; <c>impossible</c> = the configuration has no token, nobody may.</param>
internal sealed record ApiAccess(bool Changes, string Needs);
