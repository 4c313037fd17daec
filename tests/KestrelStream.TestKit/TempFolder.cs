namespace KestrelStream.TestKit;

/// <summary>A folder of a test's own, deleted with everything in it on dispose.</summary>
public sealed class TempFolder : IDisposable
{
    /// <summary>Absolute.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("kestrelstream-test-").FullName;

    /// <summary>The absolute path of something in the folder.</summary>
    public string this[params string[] names] => System.IO.Path.Combine([Path, .. names]);

    /// <summary>Writes a file, making the folders above it; its absolute path.</summary>
    public string Write(string name, string content)
    {
        var path = this[name];
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        return path;
    }

    /// <inheritdoc cref="Write(string, string)"/>
    public string Write(string name, byte[] content)
    {
        var path = this[name];
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }

    /// <summary>The lines of a file that is still written to, without one that is only half there; none before it is there.</summary>
    public string[] Lines(string file) => File.Exists(this[file]) ? File.ReadAllText(this[file]).Split('\n')[..^1] : [];

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
            // A process that is still ending may hold or add a file; the folder is in the system's temporary one.
        }
    }
}
