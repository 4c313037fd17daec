namespace KestrelStream.Health;

/// <summary>What is known about a destination.</summary>
public enum DestinationHealth
{
    /// <summary>Nothing yet. It gets sessions.</summary>
    Unknown,

    /// <summary>The last that was learned is good.</summary>
    Healthy,

    /// <summary>Out; a session now and then tries it.</summary>
    Unhealthy,
}
