namespace KestrelStream.Configuration.Reading;

/// <summary>Keys of <c>Limits</c>: of the process, of a listener or a route.</summary>
internal static class LimitsReader
{
    private static readonly LimitsConfig s_limits = new();
    private static readonly ProcessLimitsConfig s_process = new();

    public static ProcessLimitsConfig ReadProcess(SectionReader section) => new()
    {
        MaxSessions = section.Number(nameof(ProcessLimitsConfig.MaxSessions)),
        PrereadBytes = section.Number(nameof(ProcessLimitsConfig.PrereadBytes)) ?? s_process.PrereadBytes,
        MaxHandshakes = section.Number(nameof(ProcessLimitsConfig.MaxHandshakes)),
        MaxClients = section.Number(nameof(ProcessLimitsConfig.MaxClients)) ?? s_process.MaxClients,
    };

    public static LimitsConfig Read(SectionReader section) => new()
    {
        MaxSessions = section.Number(nameof(LimitsConfig.MaxSessions)),
        MaxSessionsPerClient = section.Number(nameof(LimitsConfig.MaxSessionsPerClient)),
        NewSessionsPerSecond = section.Fraction(nameof(LimitsConfig.NewSessionsPerSecond)),
        NewSessionsPerSecondPerClient = section.Fraction(nameof(LimitsConfig.NewSessionsPerSecondPerClient)),
        HandshakesPerSecond = section.Fraction(nameof(LimitsConfig.HandshakesPerSecond)),
        HandshakesPerSecondPerClient = section.Fraction(nameof(LimitsConfig.HandshakesPerSecondPerClient)),
        Burst = section.Time(nameof(LimitsConfig.Burst)) ?? s_limits.Burst,
        ClientPrefixV4 = section.Number(nameof(LimitsConfig.ClientPrefixV4)) ?? s_limits.ClientPrefixV4,
        ClientPrefixV6 = section.Number(nameof(LimitsConfig.ClientPrefixV6)) ?? s_limits.ClientPrefixV6,
        DownloadBytesPerSecond = section.Number(nameof(LimitsConfig.DownloadBytesPerSecond)),
        UploadBytesPerSecond = section.Number(nameof(LimitsConfig.UploadBytesPerSecond)),
        Action = section.Choice<LimitAction>(nameof(LimitsConfig.Action)) ?? s_limits.Action,
        MaxDelay = section.Time(nameof(LimitsConfig.MaxDelay)) ?? s_limits.MaxDelay,
    };
}
