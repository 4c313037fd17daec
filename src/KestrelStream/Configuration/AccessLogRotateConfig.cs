namespace KestrelStream.Configuration;

/// <summary>When an access log's file is set aside as <c>.1</c> (and <c>.1</c> as <c>.2</c>, …) and a new one begun. At least one of the two limits.</summary>
public sealed record AccessLogRotateConfig
{
    /// <summary>Size that the file does not exceed; null = any.</summary>
    public int? MaxBytes { get; init; }

    /// <summary>At each multiple of this time (UTC), as <c>1.00:00:00</c> = at midnight; null = at no time.</summary>
    public TimeSpan? Every { get; init; }

    /// <summary>Files that are kept beside the one that is written. Default 7.</summary>
    public int Keep { get; init; } = 7;
}
