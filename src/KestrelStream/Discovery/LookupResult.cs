namespace KestrelStream.Discovery;

/// <summary>How a lookup ended. In lower case it is the label <c>result</c> of the metric.</summary>
internal enum LookupResult
{
    /// <summary>Its answer is in force.</summary>
    Ok,

    /// <summary>The name does not exist, or has no address. The last good answer stays.</summary>
    Empty,

    /// <summary>Nobody could say. The last good answer stays.</summary>
    Failed,
}
