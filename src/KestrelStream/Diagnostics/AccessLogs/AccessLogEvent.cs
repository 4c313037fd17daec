namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>What a record tells of. Names are public surface.</summary>
internal enum AccessLogEvent : byte
{
    /// <summary>The session has ended.</summary>
    End,

    /// <summary>It is connected with its destination.</summary>
    Start,

    /// <summary>It goes on.</summary>
    Interval,
}
