using KestrelStream.Load.Backend;

namespace KestrelStream.Load.Proxies;

/// <summary>What a recipe needs to write the config of one proxy.</summary>
/// <param name="Directory">A folder of this proxy alone, absolute.</param>
/// <param name="Templates">The folder of the config templates.</param>
/// <param name="Ports">Where it shall listen.</param>
/// <param name="BackendNetwork">First three numbers of its backend addresses.</param>
/// <param name="Backend">Ports on those addresses.</param>
/// <param name="Certificate">What its terminated listeners show.</param>
/// <param name="Sessions">Most sessions at once that the config must allow, if more than the templates do by themselves.</param>
internal sealed record ProxySite(
    string Directory, string Templates, ProxyPorts Ports, string BackendNetwork, BackendPorts Backend, TestCertificate Certificate, int Sessions)
{
    /// <summary>Writes one filled-in template into the proxy's folder and returns the path.</summary>
    /// <param name="template">Name of the template without <c>.template</c>, and of the file written.</param>
    /// <param name="own">Words only this proxy's template has.</param>
    public string WriteConfig(string template, IReadOnlyDictionary<string, string> own)
    {
        var words = new Dictionary<string, string>(own, StringComparer.Ordinal)
        {
            ["DIRECTORY"] = Directory,
            ["NETWORK"] = BackendNetwork,
            ["REPLY_PORT"] = $"{Backend.Reply}",
            ["ECHO_PORT"] = $"{Backend.Echo}",
            ["BULK_PORT"] = $"{Backend.Bulk}",
            ["TCP"] = $"{Ports.Tcp}",
            ["SNI"] = $"{Ports.Sni}",
            ["ECHO"] = $"{Ports.Echo}",
            ["BULK"] = $"{Ports.Bulk}",
            ["TLS_FULL"] = $"{Ports.TlsFull}",
            ["TLS_RESUMED"] = $"{Ports.TlsResumed}",
            ["TLS_BULK"] = $"{Ports.TlsBulk}",
            ["CERTIFICATE"] = Certificate.CertificatePath,
            ["KEY"] = Certificate.KeyPath,
            ["CERTIFICATE_AND_KEY"] = Certificate.CombinedPath,
        };
        string text = ConfigTemplate.Fill(Path.Combine(Templates, template + ".template"), words);
        string path = Path.Combine(Directory, template);
        File.WriteAllText(path, text);
        return path;
    }
}
