using Microsoft.Extensions.Configuration;

namespace KestrelStream.Configuration.Sources;

/// <summary>
/// The tree of any IConfiguration. What is under a key is asked for when it is needed: many providers look through all of their keys for that
/// (dotnet/runtime issue 65885), and under most keys is nothing.
/// </summary>
internal sealed class SectionConfigNode : ConfigNode
{
    private readonly IConfiguration _section;
    private ConfigNode[]? _children;

    public SectionConfigNode(IConfigurationSection section)
        : base(section.Key, section.Value, [])
        => _section = section;

    private SectionConfigNode(IConfiguration root)
        : base("", null, [])
        => _section = root;

    public override ReadOnlySpan<ConfigNode> Children => _children ??= ReadChildren();

    /// <summary>The sections at the top, under a node without a key.</summary>
    public static SectionConfigNode OfRoot(IConfiguration root) => new(root);

    private ConfigNode[] ReadChildren()
    {
        ConfigNode[] children = [.. _section.GetChildren().Select(child => new SectionConfigNode(child))];

        // A provider of another kind may have an order of its own.
        if (!ConfigNodeOrder.IsSorted(children))
        {
            Array.Sort(children, ConfigNodeOrder.Instance);
        }

        return children;
    }
}
