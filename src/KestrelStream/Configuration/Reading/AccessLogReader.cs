namespace KestrelStream.Configuration.Reading;

/// <summary>Keys of <c>StreamProxy:AccessLog</c>.</summary>
internal static class AccessLogReader
{
    private static readonly AccessLogConfig s_log = new();
    private static readonly AccessLogSyslogConfig s_syslog = new();
    private static readonly AccessLogRuleConfig s_rule = new();
    private static readonly AccessLogRotateConfig s_rotate = new();

    public static AccessLogConfig Read(SectionReader section) => new()
    {
        Path = section.Text(nameof(AccessLogConfig.Path)) ?? s_log.Path,
        Syslog = section.Section(nameof(AccessLogConfig.Syslog), ReadSyslog),
        Format = section.Choice<AccessLogFormat>(nameof(AccessLogConfig.Format)) ?? s_log.Format,
        Template = section.Text(nameof(AccessLogConfig.Template)),
        Start = section.Flag(nameof(AccessLogConfig.Start)) ?? s_log.Start,
        Interval = section.Time(nameof(AccessLogConfig.Interval)),
        Ja4 = section.Flag(nameof(AccessLogConfig.Ja4)) ?? s_log.Ja4,
        TcpInfo = section.Flag(nameof(AccessLogConfig.TcpInfo)) ?? s_log.TcpInfo,
        If = section.SectionList(nameof(AccessLogConfig.If), ReadRule) ?? s_log.If,
        Rotate = section.Section(nameof(AccessLogConfig.Rotate), ReadRotate),
    };

    private static AccessLogSyslogConfig ReadSyslog(SectionReader section) => new()
    {
        Address = section.Text(nameof(AccessLogSyslogConfig.Address)) ?? s_syslog.Address,
        Facility = section.Number(nameof(AccessLogSyslogConfig.Facility)) ?? s_syslog.Facility,
        Severity = section.Number(nameof(AccessLogSyslogConfig.Severity)) ?? s_syslog.Severity,
        Tag = section.Text(nameof(AccessLogSyslogConfig.Tag)) ?? s_syslog.Tag,
    };

    private static AccessLogRuleConfig ReadRule(SectionReader section) => new()
    {
        EndReasons = section.TextList(nameof(AccessLogRuleConfig.EndReasons)) ?? s_rule.EndReasons,
        Routes = section.TextList(nameof(AccessLogRuleConfig.Routes)) ?? s_rule.Routes,
        Listeners = section.TextList(nameof(AccessLogRuleConfig.Listeners)) ?? s_rule.Listeners,
        MinDuration = section.Time(nameof(AccessLogRuleConfig.MinDuration)),
        Sample = section.Fraction(nameof(AccessLogRuleConfig.Sample)),
    };

    private static AccessLogRotateConfig ReadRotate(SectionReader section) => new()
    {
        MaxBytes = section.Number(nameof(AccessLogRotateConfig.MaxBytes)),
        Every = section.Time(nameof(AccessLogRotateConfig.Every)),
        Keep = section.Number(nameof(AccessLogRotateConfig.Keep)) ?? s_rotate.Keep,
    };
}
