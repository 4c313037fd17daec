using System.Runtime.InteropServices;
using KestrelStream.Load.Proxies;

namespace KestrelStream.Load.Measuring;

/// <summary>What the figures were taken on, in lines for the head of the report.</summary>
internal static class Machine
{
    public static IReadOnlyList<string> Describe(IEnumerable<IProxyRecipe> recipes)
    {
        string processor = Field("/proc/cpuinfo", "model name", ':') ?? RuntimeInformation.ProcessArchitecture.ToString();
        string memory = Field("/proc/meminfo", "MemTotal", ':') ?? "?";
        long gigabytes = long.TryParse(memory.Split(' ')[0], out long kilobytes) ? (kilobytes + 524_288) / 1_048_576 : 0;
        string system = Field("/etc/os-release", "PRETTY_NAME", '=')?.Trim('"') ?? "Linux";
        string kernel = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        string versions = string.Join(" · ", recipes.Select(recipe => recipe.ReadVersion()).Distinct());
        string openSsl = string.Join(' ', Command.Output("openssl", "version").Split(' ').Take(2));
        return
        [
            $"Machine: {processor}, {Environment.ProcessorCount} cores, {gigabytes} GB",
            $"System: {system}, Linux {kernel}",
            $"Versions: {versions} · {RuntimeInformation.FrameworkDescription} · {openSsl}",
        ];
    }

    private static string? Field(string file, string name, char separator)
    {
        string? line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal)) : null;
        return line?[(line.IndexOf(separator) + 1)..].Trim();
    }
}
