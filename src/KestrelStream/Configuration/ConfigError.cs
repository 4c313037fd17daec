namespace KestrelStream.Configuration;

/// <summary>One mistake in a configuration.</summary>
/// <param name="Path">Where, as <c>StreamProxy:Routes:app1:ClusterId</c>.</param>
/// <param name="Message">The value that was found and what would be valid.</param>
public sealed record ConfigError(string Path, string Message)
{
    /// <summary><c>path: message</c>, one line.</summary>
    public override string ToString() => $"{Path}: {Message}";
}
