namespace KestrelStream.Configuration;

/// <summary>One record a session, written when it ends.</summary>
public sealed record AccessLogConfig
{
    /// <summary>A file, relative to the config file; <c>-</c> = standard output. Required. Appended to, created when missing.</summary>
    public string Path { get; init; } = "";

    /// <summary>How a record looks. Default <see cref="AccessLogFormat.Json"/>.</summary>
    public AccessLogFormat Format { get; init; } = AccessLogFormat.Json;
}
