namespace KestrelStream.Configuration;

/// <summary>What a destination counts as until its first checks have decided.</summary>
public enum HealthCheckInitialState
{
    /// <summary>It gets sessions until <see cref="ActiveHealthCheckConfig.Fall"/> checks in a row have failed.</summary>
    Up,

    /// <summary>It gets none until <see cref="ActiveHealthCheckConfig.Rise"/> checks in a row have succeeded.</summary>
    Down,
}
