namespace KestrelStream.TestKit.Peers;

/// <summary>The source tree that the running tests were built from.</summary>
public static class RepositoryFolder
{
    /// <summary>Absolute; the folder that has the solution.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Debug or Release: that of the running tests, <c>bin/&lt;configuration&gt;/&lt;framework&gt;/</c>.</summary>
    public static string BuildConfiguration { get; } = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/')).Parent!.Name;

    /// <summary>Absolute path of something in the tree.</summary>
    public static string Combine(params string[] names) => Path.Combine([Root, .. names]);

    /// <summary>Absolute path of what a project was built to, in the configuration of the running tests.</summary>
    /// <param name="project">Folder of the project, relative to the root.</param>
    /// <param name="file">Name of the file in its output folder.</param>
    public static string BuildOutput(string project, string file)
    {
        var path = Combine(project, "bin", BuildConfiguration, "net10.0", file);
        return File.Exists(path) ? path : throw new FileNotFoundException($"{path} is missing: build the solution in {BuildConfiguration} first", path);
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "KestrelStream.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} has KestrelStream.sln");
    }
}
