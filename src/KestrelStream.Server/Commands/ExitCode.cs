namespace KestrelStream.Server.Commands;

/// <summary>What the process ends with. Public surface: service managers and scripts act on it.</summary>
internal static class ExitCode
{
    /// <summary>A clean stop, or a configuration without mistakes.</summary>
    public const int Ok = 0;

    /// <summary>The configuration has mistakes.</summary>
    public const int InvalidConfig = 1;

    /// <summary>The configuration is right and start failed all the same: file missing, port in use.</summary>
    public const int CannotStart = 2;
}
