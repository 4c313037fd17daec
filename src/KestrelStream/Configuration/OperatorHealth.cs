namespace KestrelStream.Configuration;

/// <summary>Whether an operator knows better than the checks.</summary>
internal enum OperatorHealth
{
    /// <summary>Checks, active and passive, decide.</summary>
    Auto,

    /// <summary>Up, whatever checks and failures say.</summary>
    Up,

    /// <summary>Down, whatever checks say.</summary>
    Down,
}
