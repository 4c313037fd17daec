namespace KestrelStream.Admin;

/// <summary>What became of a request for a change.</summary>
internal enum ChangeOutcome
{
    /// <summary>It is as was asked for.</summary>
    Applied,

    /// <summary>It cannot be.</summary>
    Rejected,

    /// <summary>Who asked for it may not.</summary>
    Denied,
}
