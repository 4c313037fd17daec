using System.Diagnostics;
using System.Runtime.InteropServices;

namespace KestrelStream.TestKit.Peers;

/// <summary>A program that runs beside the test; ended, with all it started, on dispose.</summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task _reading;

    private ChildProcess(Process process)
    {
        _process = process;
        Id = process.Id;
        _reading = Task.WhenAll(Output.ReadAsync(process.StandardOutput), Error.ReadAsync(process.StandardError));
    }

    /// <summary>The process id.</summary>
    public int Id { get; }

    /// <summary>Standard output.</summary>
    public ProcessOutput Output { get; } = new();

    /// <summary>Standard error.</summary>
    public ProcessOutput Error { get; } = new();

    /// <summary>True once it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <param name="program">Path of the program.</param>
    /// <param name="arguments">As they are; no shell sees them.</param>
    /// <param name="environment">Added to the test's own; null as a value removes one.</param>
    /// <param name="folder">Working folder; null = the test's own.</param>
    public static ChildProcess Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? folder = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? "",
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            start.Environment[name] = value;
        }

        return new ChildProcess(Process.Start(start)!);
    }

    /// <summary>Runs a program to its end.</summary>
    /// <param name="program">Path of the program.</param>
    /// <param name="arguments">As they are; no shell sees them.</param>
    /// <param name="input">What it reads from standard input, which ends after it.</param>
    /// <param name="environment">Added to the test's own; null as a value removes one.</param>
    /// <param name="folder">Working folder; null = the test's own.</param>
    /// <param name="within">Null = 60 seconds.</param>
    /// <exception cref="TimeoutException">It took longer; it has been killed.</exception>
    public static async Task<ProcessResult> RunAsync(
        string program, IEnumerable<string> arguments, byte[]? input = null, IReadOnlyDictionary<string, string?>? environment = null, string? folder = null, TimeSpan? within = null)
    {
        await using var child = Start(program, arguments, environment, folder);
        await child.WriteInputAsync(input ?? [], close: true);
        return await child.WaitForResultAsync(within ?? TimeSpan.FromSeconds(60));
    }

    /// <summary>Writes to its standard input.</summary>
    public async Task WriteInputAsync(byte[] bytes, bool close)
    {
        try
        {
            await _process.StandardInput.BaseStream.WriteAsync(bytes);
            await _process.StandardInput.BaseStream.FlushAsync();
            if (close)
            {
                _process.StandardInput.Close();
            }
        }
        catch (IOException) when (close)
        {
            // It ended before it had read everything; its exit code says why.
        }
    }

    /// <summary>Sends a signal, e.g. 1 = SIGHUP, 15 = SIGTERM.</summary>
    public void Signal(int signal)
    {
        if (Kill(Id, signal) != 0)
        {
            throw new InvalidOperationException($"kill({Id}, {signal}) failed with errno {Marshal.GetLastPInvokeError()}");
        }
    }

    /// <exception cref="TimeoutException">It has not ended within the time; the message has what it said.</exception>
    public async Task<ProcessResult> WaitForResultAsync(TimeSpan within)
    {
        try
        {
            // The streams end with the last process that holds them, which may be a child that outlives ours.
            await _process.WaitForExitAsync(new CancellationTokenSource(within).Token).WaitAsync(within);
            await _reading.WaitAsync(TimeSpan.FromSeconds(10));
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException)
        {
            throw new TimeoutException($"{_process.StartInfo.FileName} has not ended within {within}. What it said:\n{Output.Text}\n{Error.Text}");
        }

        return new ProcessResult(_process.ExitCode, Output.Text, Error.Text);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (!_process.HasExited)
            {
                _process.Kill(entireProcessTree: true);
            }

            await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(10));
        }
        catch (Exception e) when (e is InvalidOperationException or TimeoutException)
        {
            // Ended meanwhile, or a child of it still holds its streams.
        }

        _process.Dispose();
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int pid, int signal);
}
