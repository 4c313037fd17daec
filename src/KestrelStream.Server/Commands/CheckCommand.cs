using KestrelStream.Management;
using KestrelStream.Server.Demo;
using KestrelStream.Server.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.Server.Commands;

/// <summary><c>kestrelstream check</c>: nginx -t.</summary>
internal static class CheckCommand
{
    public static async Task<int> RunAsync(FileInfo file)
    {
        if (!file.Exists)
        {
            await Console.Error.WriteLineAsync($"{file.FullName}: the file does not exist");
            return ExitCode.InvalidConfig;
        }

        using var configFile = new ConfigFile(file, TimeProvider.System);
        DemoCertificate.Ensure(configFile.Demo, configFile.BasePath);
        await using var app = ServerHost.Build(configFile);
        var result = app.Services.GetRequiredService<IStreamProxy>().Check();
        foreach (var warning in result.Warnings)
        {
            // Not among the errors: whoever reads standard error finds there what keeps the server from starting.
            Console.WriteLine($"warning: {warning}");
        }

        if (result.Errors.Count == 0)
        {
            Console.WriteLine($"{file.FullName}: the configuration is valid");
            return ExitCode.Ok;
        }

        foreach (var error in result.Errors)
        {
            await Console.Error.WriteLineAsync(error.ToString());
        }

        return ExitCode.InvalidConfig;
    }
}
