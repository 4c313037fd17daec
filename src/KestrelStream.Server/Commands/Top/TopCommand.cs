using System.Runtime.InteropServices;
using System.Text.Json;
using KestrelStream.Server.Hosting;

namespace KestrelStream.Server.Commands.Top;

/// <summary><c>kestrelstream top</c>: what a running proxy does, in a terminal; on a pipe the same as text, a block a second.</summary>
internal static class TopCommand
{
    private const string DefaultUrl = "http://127.0.0.1:9180/";
    private const int PlainWidth = 200;

    /// <summary>The other screen of the terminal, without a cursor; and back.</summary>
    private const string Enter = "\e[?1049h\e[?25l", Leave = "\e[?25h\e[?1049l";

    private static readonly TimeSpan s_every = TimeSpan.FromSeconds(1);

    /// <param name="url">Null = as the configuration says.</param>
    /// <param name="file">The configuration.</param>
    /// <param name="once">One look, which takes a second: rates lie between two.</param>
    public static async Task<int> RunAsync(string? url, FileInfo file, bool once)
    {
        using var source = Find(url, file);
        if (source is null)
        {
            await Console.Error.WriteLineAsync(url is null ? $"{file.FullName} has no admin address; --url says where the admin port is" : $"{url} is no URL; valid: {DefaultUrl}");
            return ExitCode.InvalidConfig;
        }

        using var stop = new CancellationTokenSource();
        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        var isScreen = !once && !Console.IsOutputRedirected;
        try
        {
            Console.Write(isScreen ? Enter : "");
            return await LookAsync(source, once, isScreen, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return ExitCode.Ok;
        }
        catch (IOException) when (!isScreen)
        {
            // Whoever read the pipe has had enough.
            return ExitCode.Ok;
        }
        finally
        {
            if (isScreen)
            {
                Console.Write(Leave);
            }
        }
    }

    private static TopSource? Find(string? url, FileInfo file)
    {
        if (url is not null)
        {
            return TopSource.At(url);
        }

        if (!file.Exists)
        {
            return TopSource.At(DefaultUrl);
        }

        using var config = new ConfigFile(file, TimeProvider.System);
        return TopSource.At(config.GetConfig().Config.Admin);
    }

    private static async Task<int> LookAsync(TopSource source, bool once, bool isScreen, CancellationToken stop)
    {
        TopReading? before = null;
        while (true)
        {
            try
            {
                var now = await source.ReadAsync(stop);
                if (before is not null)
                {
                    Show(TopScreen.Lines(source.Name, before, now, isScreen ? Console.WindowWidth : PlainWidth, isScreen ? Console.WindowHeight : int.MaxValue), isScreen);
                    if (once)
                    {
                        return ExitCode.Ok;
                    }
                }

                before = now;
            }
            catch (Exception e) when (e is HttpRequestException or JsonException or KeyNotFoundException || (e is TaskCanceledException && !stop.IsCancellationRequested))
            {
                if (!isScreen)
                {
                    await Console.Error.WriteLineAsync($"{source.Name}: {e.Message}");
                    return ExitCode.CannotStart;
                }

                // It may come back.
                before = null;
                Show([$"KestrelStream  {source.Name}", "", e.Message], isScreen);
            }

            await Task.Delay(s_every, stop);
        }
    }

    private static void Show(IReadOnlyList<string> lines, bool isScreen)
    {
        var text = isScreen
            ? "\e[H" + string.Join("\r\n", lines.Select(line => line + "\e[K")) + "\e[J"
            : string.Join(Environment.NewLine, lines) + Environment.NewLine + Environment.NewLine;
        Console.Out.Write(text);
        Console.Out.Flush();
    }
}
