namespace KestrelStream.TestKit.Peers;

/// <summary>How a program ended and what it said.</summary>
/// <param name="ExitCode">128 + signal when a signal ended it.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Error">Its standard error.</param>
public sealed record ProcessResult(int ExitCode, string Output, string Error)
{
    /// <summary>Everything, for messages of failed tests.</summary>
    public override string ToString() => $"exit code {ExitCode}\n{Output}\n{Error}";
}
