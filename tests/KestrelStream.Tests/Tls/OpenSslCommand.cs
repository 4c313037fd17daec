using System.Diagnostics;

namespace KestrelStream.Tests.Tls;

/// <summary>Runs the real <c>openssl</c> program, the peer these tests are checked against. Bounded: a run that takes longer than 30 s is killed.</summary>
internal static class OpenSslCommand
{
    public static Task<(int ExitCode, string Output)> RunAsync(params string[] arguments) => RunAsync(arguments, input: null);

    /// <param name="arguments">After the word <c>openssl</c>.</param>
    /// <param name="input">Gives the program what it reads, and decides when that ends; null = nothing.</param>
    public static async Task<(int ExitCode, string Output)> RunAsync(string[] arguments, Func<StreamWriter, Func<string>, Task>? input)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo("openssl", arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        var output = new System.Text.StringBuilder();
        DataReceivedEventHandler append = (_, line) =>
        {
            lock (output)
            {
                output.AppendLine(line.Data);
            }
        };
        process.OutputDataReceived += append;
        process.ErrorDataReceived += append;
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            if (input is not null)
            {
                await input(process.StandardInput, Text).WaitAsync(timeout.Token);
            }

            process.StandardInput.Close();
            await process.WaitForExitAsync(timeout.Token);
        }
        catch (IOException) when (process.HasExited)
        {
            // It ended before it had read its input; what it said is in the output.
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }

        return (process.ExitCode, Text());

        string Text()
        {
            lock (output)
            {
                return output.ToString();
            }
        }
    }
}
