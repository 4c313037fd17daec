using System.Globalization;

namespace KestrelStream.Configuration.Validation;

/// <summary>Ranges of limits.</summary>
internal static class LimitsValidator
{
    /// <summary>More than any machine accepts: beyond it a limit is none.</summary>
    private const double HighestRate = 1_000_000;

    /// <summary>One in a day.</summary>
    private const double LowestRate = 0.00001;

    /// <summary>The longest hello, and one more byte of somebody else.</summary>
    private const int FewestPrereadBytes = 128 * 1024;

    private const int MostClients = 16 * 1024 * 1024;

    private static readonly TimeSpan LongestBurst = TimeSpan.FromHours(1);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(5);

    public static void ValidateProcess(ValidationContext context, string path, ProcessLimitsConfig limits)
    {
        context.CheckRange(path, "MaxSessions", limits.MaxSessions, 1);
        context.CheckRange(path, "PrereadBytes", limits.PrereadBytes, FewestPrereadBytes);
        context.CheckRange(path, "MaxHandshakes", limits.MaxHandshakes, 1);
        context.CheckRange(path, "MaxClients", limits.MaxClients, 1024, MostClients);
    }

    public static void Validate(ValidationContext context, string path, LimitsConfig? limits)
    {
        if (limits is null)
        {
            return;
        }

        context.CheckRange(path, "MaxSessions", limits.MaxSessions, 1);
        context.CheckRange(path, "MaxSessionsPerClient", limits.MaxSessionsPerClient, 1);
        CheckRate("NewSessionsPerSecond", limits.NewSessionsPerSecond);
        CheckRate("NewSessionsPerSecondPerClient", limits.NewSessionsPerSecondPerClient);
        CheckRate("HandshakesPerSecond", limits.HandshakesPerSecond);
        CheckRate("HandshakesPerSecondPerClient", limits.HandshakesPerSecondPerClient);
        CheckTime("Burst", limits.Burst, LongestBurst);
        CheckTime("MaxDelay", limits.MaxDelay, LongestDelay);
        context.CheckRange(path, "ClientPrefixV4", limits.ClientPrefixV4, 1, 32);
        context.CheckRange(path, "ClientPrefixV6", limits.ClientPrefixV6, 1, 128);
        context.CheckRange(path, "DownloadBytesPerSecond", limits.DownloadBytesPerSecond, 0);
        context.CheckRange(path, "UploadBytesPerSecond", limits.UploadBytesPerSecond, 0);

        void CheckRate(string key, double? rate)
        {
            if (rate is { } value && !(value >= LowestRate && value <= HighestRate))
            {
                context.AddError($"{path}:{key}", string.Create(CultureInfo.InvariantCulture, $"{value} is out of range; valid: 0.00001 to 1000000"));
            }
        }

        void CheckTime(string key, TimeSpan value, TimeSpan longest)
        {
            if (value < Duration.Shortest || value > longest)
            {
                context.AddError($"{path}:{key}", $"\"{Duration.Format(value)}\" is out of range; valid: {Duration.Format(Duration.Shortest)} to {Duration.Format(longest)}");
            }
        }
    }
}
