namespace KestrelStream.Configuration;

/// <summary>What becomes of the sessions that run on a destination when it is found dead.</summary>
public enum UnhealthyAction
{
    /// <summary>They go on as long as both sides let them.</summary>
    Keep,

    /// <summary>They are reset and end as <see cref="Sessions.SessionEndReason.DestinationDown"/>.</summary>
    Close,
}
