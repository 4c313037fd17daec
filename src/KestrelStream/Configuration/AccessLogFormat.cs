namespace KestrelStream.Configuration;

/// <summary>Form of an access log record.</summary>
public enum AccessLogFormat
{
    /// <summary>One JSON object a line.</summary>
    Json,

    /// <summary>One line of <c>key=value</c> pairs; values with other than plain characters are quoted and escaped.</summary>
    Text,
}
