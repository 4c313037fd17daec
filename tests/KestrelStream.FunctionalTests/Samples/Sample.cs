using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;

namespace KestrelStream.FunctionalTests.Samples;

/// <summary>The folders of samples/, and what their tests share.</summary>
internal static class Sample
{
    /// <summary>The sample's own appsettings.json, not a copy.</summary>
    public static string ConfigPath(string name) => RepositoryFolder.Combine("samples", name, "appsettings.json");

    /// <summary>The root certificate in a file, for <c>curl --cacert</c> and the like.</summary>
    public static string WriteRoot(TempFolder folder) => folder.Write("root.pem", TestCertificates.Shared.Root.ExportCertificatePem() + "\n");

    /// <summary>Runs the server on the sample's file with some keys overridden.</summary>
    public static Task<ServerProcess> StartServerAsync(string name, Dictionary<string, string> overrides)
        => ServerProcess.StartAsync(new ServerOptions { ConfigPath = ConfigPath(name), Overrides = overrides });
}
