using System.Runtime.InteropServices;

namespace KestrelStream.TestKit.Peers;

/// <summary>Finds the programs that tests talk to.</summary>
public static class PeerProgram
{
    /// <summary>Folders that are not in everyone's PATH: daemons live in sbin, PostgreSQL's in a folder of its version.</summary>
    private static IEnumerable<string> MoreFolders =>
    [
        "/usr/local/sbin", "/usr/sbin", "/sbin",
        .. Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(folder => folder, StringComparer.Ordinal).Select(folder => Path.Combine(folder, "bin"))
            : [],
    ];

    /// <summary>Folder of the .NET that runs the tests, for programs that look for one by DOTNET_ROOT.</summary>
    public static string DotnetRoot { get; } = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));

    /// <summary>Absolute path of a program.</summary>
    /// <param name="program">Its file name.</param>
    /// <param name="package">The Debian package that has it.</param>
    /// <exception cref="PeerMissingException">It is not there.</exception>
    public static string Find(string program, string package)
        => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Concat(MoreFolders)
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists)
        ?? throw new PeerMissingException(program, package);
}
