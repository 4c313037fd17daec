using System.ComponentModel;
using System.Diagnostics;

namespace KestrelStream.Load;

/// <summary>Runs a short command to its end.</summary>
internal static class Command
{
    private const int TimeoutMilliseconds = 30_000;

    /// <summary>What the command printed on both streams.</summary>
    /// <exception cref="BenchmarkException">It is missing, fails or hangs.</exception>
    public static string Output(string file, params string[] arguments)
    {
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            Task<string> error = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(TimeoutMilliseconds))
            {
                process.Kill();
                throw new BenchmarkException($"{file} did not end within {TimeoutMilliseconds / 1000} s");
            }

            string text = (output.Result + error.Result).Trim();
            return process.ExitCode == 0 ? text : throw new BenchmarkException($"{file} failed: {text}");
        }
        catch (Win32Exception error)
        {
            throw new BenchmarkException($"cannot run {file}: {error.Message}");
        }
    }
}
