using KestrelStream.Diagnostics.AccessLogs;
using KestrelStream.Sessions;

namespace KestrelStream.Configuration.Validation;

/// <summary>What is said of the access log. Whether its path can be written is the machine's to say, not asked here.</summary>
internal static class AccessLogValidator
{
    private const int SmallestFile = 128 * 1024;
    private const int MostKept = 10_000;
    private const int LongestTag = 48;
    private static readonly TimeSpan s_shortestInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_shortestTurn = TimeSpan.FromMinutes(1);
    private static readonly string[] s_reasons = [.. Enum.GetNames<SessionEndReason>().Skip(1)];

    public static void Validate(ValidationContext context, string path, AccessLogConfig log)
    {
        if (log.Syslog is { } syslog)
        {
            ValidateSyslog(context, $"{path}:Syslog", syslog);
            if (log.Path.Length > 0)
            {
                context.AddError($"{path}:Path", $"{ErrorText.Quote(log.Path)} and Syslog exclude each other; valid: one of them");
            }
        }
        else
        {
            FilePath.Check(context, $"{path}:Path", log.Path, "a file, or - for standard output");
        }

        if (log.Template is { } template)
        {
            if (log.Format != AccessLogFormat.Text)
            {
                context.AddError($"{path}:Template", "has no effect with Format \"Json\"; valid: Format \"Text\", or leave it out");
            }

            AccessLogTemplate.Parse(template, out var error);
            if (error is not null)
            {
                context.AddError($"{path}:Template", error);
            }
        }

        context.CheckTime(path, "Interval", log.Interval, s_shortestInterval);
        for (var i = 0; i < log.If.Count; i++)
        {
            ValidateRule(context, $"{path}:If:{i}", log.If[i]);
        }

        if (log.Rotate is { } rotate)
        {
            ValidateRotate(context, $"{path}:Rotate", rotate, isFile: log.Syslog is null && log.Path != AccessLogTarget.StandardOutput);
        }
    }

    private static void ValidateSyslog(ValidationContext context, string path, AccessLogSyslogConfig syslog)
    {
        if (!SyslogAddress.TryParse(syslog.Address, out _))
        {
            context.AddError($"{path}:Address", $"{ErrorText.Quote(syslog.Address)} is not the address of a syslog server; valid: {SyslogAddress.Valid}");
        }

        context.CheckRange(path, "Facility", syslog.Facility, 0, 23);
        context.CheckRange(path, "Severity", syslog.Severity, 0, 7);
        if (syslog.Tag.Length is 0 or > LongestTag || syslog.Tag.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            context.AddError($"{path}:Tag", $"{ErrorText.Quote(syslog.Tag)} is not a name; valid: 1 to {LongestTag} printable ASCII characters without spaces");
        }
    }

    private static void ValidateRule(ValidationContext context, string path, AccessLogRuleConfig rule)
    {
        for (var i = 0; i < rule.EndReasons.Count; i++)
        {
            if (!s_reasons.Contains(Bare(rule.EndReasons[i]), StringComparer.OrdinalIgnoreCase))
            {
                context.AddError($"{path}:EndReasons:{i}", $"{ErrorText.Quote(rule.EndReasons[i])} is not an end reason; valid: {string.Join(", ", s_reasons)}, each also with ! before it");
            }
        }

        CheckIds(context, $"{path}:Routes", rule.Routes, context.Routes);
        CheckIds(context, $"{path}:Listeners", rule.Listeners, context.Listeners);
        context.CheckTime(path, "MinDuration", rule.MinDuration, TimeSpan.Zero);
        if (rule.Sample is { } share && share is not (> 0 and <= 1))
        {
            context.AddError($"{path}:Sample", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{share} is out of range; valid: above 0, up to 1"));
        }

        if (rule is { EndReasons.Count: 0, Routes.Count: 0, Listeners.Count: 0, MinDuration: null, Sample: null })
        {
            context.AddError(path, "has no condition; valid: at least one of EndReasons, Routes, Listeners, MinDuration, Sample");
        }
    }

    private static void CheckIds(ValidationContext context, string path, IReadOnlyList<string> items, IdSet ids)
    {
        for (var i = 0; i < items.Count; i++)
        {
            // An id may begin with the mark itself.
            if (!ids.Contains(items[i]) && !ids.Contains(Bare(items[i])))
            {
                context.AddError($"{path}:{i}", ids.UnknownId(Bare(items[i])));
            }
        }
    }

    private static void ValidateRotate(ValidationContext context, string path, AccessLogRotateConfig rotate, bool isFile)
    {
        if (!isFile)
        {
            context.AddError(path, "has no effect without a file; valid: a Path that is one, or leave it out");
        }

        context.CheckRange(path, "MaxBytes", rotate.MaxBytes, SmallestFile);
        context.CheckTime(path, "Every", rotate.Every, s_shortestTurn);
        context.CheckRange(path, "Keep", rotate.Keep, 0, MostKept);
        if (rotate is { MaxBytes: null, Every: null })
        {
            context.AddError(path, "says no time to rotate at; valid: MaxBytes, Every, or both");
        }
    }

    private static string Bare(string item) => item.StartsWith('!') ? item[1..] : item;
}
