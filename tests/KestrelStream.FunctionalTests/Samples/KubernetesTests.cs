using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;
using YamlDotNet.RepresentationModel;
using static KestrelStream.FunctionalTests.Samples.KubernetesManifests;

namespace KestrelStream.FunctionalTests.Samples;

/// <summary>samples/kubernetes: the manifests fit together, and the ConfigMap's file runs, also when it changes as Kubernetes changes it.</summary>
public sealed class KubernetesTests
{
    private readonly KubernetesManifests _manifests = new();

    private YamlNode Pod => Node(_manifests["Deployment"], "spec|template|spec");

    private YamlNode Container => Node(Pod, "containers|0");

    private string ConfigText => Text(_manifests["ConfigMap"], "data|appsettings.json");

    [Fact]
    public void Kubernetes_Objects_HaveNamesAndFindEachOther()
    {
        Assert.All(_manifests.All, item =>
        {
            Assert.NotEmpty(Text(item, "apiVersion"));
            Assert.NotEmpty(Text(item, "metadata|name"));
        });

        var label = Text(_manifests["Deployment"], "spec|template|metadata|labels|app.kubernetes.io/name");
        Assert.Equal(label, Text(_manifests["Deployment"], "spec|selector|matchLabels|app.kubernetes.io/name"));
        Assert.Equal(label, Text(_manifests["Service"], "spec|selector|app.kubernetes.io/name"));
        Assert.Equal(label, Text(_manifests["PodDisruptionBudget"], "spec|selector|matchLabels|app.kubernetes.io/name"));

        Assert.Equal(Text(_manifests["ConfigMap"], "metadata|name"), Text(Pod, "volumes|0|configMap|name"));
        Assert.StartsWith(Text(Container, "volumeMounts|0|mountPath") + "/", Text(Container, "args|2"));
        Assert.Equal(File.ReadAllText(Sample.ConfigPath("kubernetes")), ConfigText);
    }

    [Fact]
    public void Kubernetes_Ports_AreThoseOfTheConfiguration()
    {
        using var config = System.Text.Json.JsonDocument.Parse(ConfigText);
        var proxy = config.RootElement.GetProperty("StreamProxy");

        Assert.Equal("LoadBalancer", Text(_manifests["Service"], "spec|type"));
        Assert.Equal("443", Text(_manifests["Service"], "spec|ports|0|port"));
        Assert.Equal("public", Text(_manifests["Service"], "spec|ports|0|targetPort"));
        Assert.Equal("public", Text(Container, "ports|0|name"));
        Assert.Equal("*:" + Text(Container, "ports|0|containerPort"), proxy.GetProperty("Listeners").GetProperty("public").GetProperty("Address").GetString());

        // The kubelet asks the pod's address, so the admin port is on all of them.
        Assert.Equal("admin", Text(Container, "ports|1|name"));
        Assert.Equal("*:" + Text(Container, "ports|1|containerPort"), proxy.GetProperty("Admin").GetProperty("Address").GetString());
        Assert.Single(((YamlSequenceNode)Node(_manifests["Service"], "spec|ports")).Children);

        // For which it wants a token: that of a Secret, which the README makes.
        Assert.Equal("StreamProxy__Admin__Token", Text(Container, "env|1|name"));
        Assert.Contains(
            $"create secret generic {Text(Container, "env|1|valueFrom|secretKeyRef|name")} --from-literal={Text(Container, "env|1|valueFrom|secretKeyRef|key")}=",
            File.ReadAllText(Path.Combine(Path.GetDirectoryName(Sample.ConfigPath("kubernetes"))!, "README.md")), StringComparison.Ordinal);

        foreach (var (id, mount) in new[] { ("www", Text(Container, "volumeMounts|1|mountPath")) })
        {
            Assert.StartsWith(mount + "/", proxy.GetProperty("Certificates").GetProperty(id).GetProperty("Path").GetString());
            Assert.StartsWith(mount + "/", proxy.GetProperty("Certificates").GetProperty(id).GetProperty("KeyPath").GetString());
        }
    }

    [Fact]
    public void Kubernetes_Pod_IsConfinedProbedAndGivenTimeToDrain()
    {
        Assert.Equal("true", Text(Pod, "securityContext|runAsNonRoot"));
        Assert.Equal("false", Text(Container, "securityContext|allowPrivilegeEscalation"));
        Assert.Equal("true", Text(Container, "securityContext|readOnlyRootFilesystem"));
        Assert.Equal("ALL", Text(Container, "securityContext|capabilities|drop|0"));

        Assert.Equal("/readyz", Text(Container, "readinessProbe|httpGet|path"));
        Assert.Equal("/healthz", Text(Container, "livenessProbe|httpGet|path"));

        using var config = System.Text.Json.JsonDocument.Parse(ConfigText);
        var drain = TimeSpan.Parse(config.RootElement.GetProperty("StreamProxy").GetProperty("ShutdownTimeout").GetString()!);
        var wait = TimeSpan.FromSeconds(int.Parse(Text(Container, "lifecycle|preStop|sleep|seconds")));
        Assert.True(TimeSpan.FromSeconds(int.Parse(Text(Pod, "terminationGracePeriodSeconds"))) > drain + wait);
    }

    [Fact]
    public async Task Kubernetes_ConfigMap_PassesCheckAndServesAndFollowsItsMount()
    {
        using var folder = new TempFolder();
        var root = Sample.WriteRoot(folder);
        await using var nginx = await NginxProcess.StartAsync(
            new NginxSite("app1", TestCertificates.Shared.Issue("app1.example.com")),
            new NginxSite("plain"));
        var (path, keyPath) = TestCertificates.Shared.Issue("www.example.com").WritePem(folder, "www/tls.crt", "www/tls.key");
        await MountAsync(folder, 1, ConfigText);
        var options = new ServerOptions
        {
            ConfigPath = folder["config", "appsettings.json"],
            Overrides = new Dictionary<string, string>
            {
                ["StreamProxy:Admin:Address"] = "127.0.0.1:0",
                ["StreamProxy:Listeners:public:Address"] = "127.0.0.1:0",
                ["StreamProxy:Certificates:www:Path"] = path,
                ["StreamProxy:Certificates:www:KeyPath"] = keyPath,
                ["StreamProxy:Clusters:app1:Destinations:service:Address"] = nginx["app1"].ToString(),
                ["StreamProxy:Clusters:www:Destinations:service:Address"] = nginx["plain"].ToString(),
            },
        };

        var check = await ServerProcess.RunAsync(options, "check");
        Assert.True(check.ExitCode == 0, check.ToString());

        // app2 stays a name of the cluster, which resolves to nothing here: the others do not care.
        await using var server = await ServerProcess.StartAsync(options);
        Assert.Equal(200, (await Curl.GetAsync(server.Admin, "/readyz")).Status);
        Assert.Contains("site=app1", (await Curl.GetAsync("https://app1.example.com/", server.Listener("public"), "--cacert", root)).Body);
        Assert.Contains("site=plain", (await Curl.GetAsync("https://www.example.com/", server.Listener("public"), "--cacert", root)).Body);

        // The kubelet makes a new folder and moves the link ..data to it.
        var seen = server.Error.Lines.Count;
        await MountAsync(folder, 2, ConfigText.Replace("www.example.com", "new.example.com", StringComparison.Ordinal));
        Assert.True(await server.WaitForReloadAsync(seen), server.Error.Text);
        Assert.Equal("site=plain sni= tls= host=new.example.com", (await Curl.GetAsync("https://new.example.com/", server.Listener("public"), "--insecure")).Body);
        Assert.NotEqual(0, (await Curl.GetAsync("https://www.example.com/", server.Listener("public"), "--insecure")).ExitCode);
    }

    private static async Task MountAsync(TempFolder folder, int version, string text)
    {
        // Length and time stay the same: that the link leads elsewhere is all there is to see.
        File.SetLastWriteTimeUtc(folder.Write($"config/..version{version}/appsettings.json", text), DateTime.UnixEpoch);
        File.CreateSymbolicLink(folder["config", "..data_tmp"], $"..version{version}");

        // rename(2), which File.Move is not when the link leads to a folder.
        var moved = await ChildProcess.RunAsync(PeerProgram.Find("mv", "coreutils"), ["-T", folder["config", "..data_tmp"], folder["config", "..data"]]);
        Assert.True(moved.ExitCode == 0, moved.ToString());
        if (version == 1)
        {
            File.CreateSymbolicLink(folder["config", "appsettings.json"], "..data/appsettings.json");
        }
    }
}
