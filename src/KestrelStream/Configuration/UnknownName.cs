namespace KestrelStream.Configuration;

/// <summary>What a client gets whose name none of the route's certificates has, or that sends none.</summary>
public enum UnknownName
{
    /// <summary>The first of the route's certificates, which is one with a path.</summary>
    Default,

    /// <summary>The fatal alert <c>unrecognized_name</c>.</summary>
    Reject,
}
