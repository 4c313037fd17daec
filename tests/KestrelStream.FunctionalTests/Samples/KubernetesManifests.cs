using KestrelStream.TestKit.Peers;
using YamlDotNet.RepresentationModel;

namespace KestrelStream.FunctionalTests.Samples;

/// <summary>The objects of samples/kubernetes by kind.</summary>
internal sealed class KubernetesManifests
{
    private readonly Dictionary<string, YamlNode> _objects = [];

    public KubernetesManifests()
    {
        foreach (var file in Directory.GetFiles(RepositoryFolder.Combine("samples", "kubernetes"), "*.yaml"))
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(File.ReadAllText(file)));
            foreach (var document in stream.Documents)
            {
                _objects.Add(Text(document.RootNode, "kind"), document.RootNode);
            }
        }
    }

    public IEnumerable<YamlNode> All => _objects.Values;

    public YamlNode this[string kind] => _objects[kind];

    /// <summary>The node at a path of keys and, in lists, numbers (labels have slashes and dots): <c>spec|ports|0|port</c>.</summary>
    public static YamlNode Node(YamlNode node, string path)
    {
        foreach (var key in path.Split('|'))
        {
            node = node is YamlSequenceNode list ? list[int.Parse(key)] : node[key];
        }

        return node;
    }

    public static string Text(YamlNode node, string path) => ((YamlScalarNode)Node(node, path)).Value!;
}
