using System.Globalization;
using System.Text.Json;

namespace KestrelStream.Configuration.Sources;

/// <summary>
/// Makes the tree of what a JSON reader tells, from the leaves up. A ':' in a key is a map inside another, as in every IConfiguration. Used by
/// one thread.
/// </summary>
internal sealed class JsonTreeBuilder
{
    /// <summary>Maps and lists by depth, the first <see cref="_depth"/> of them open; the others are kept for use again.</summary>
    private readonly List<Container> _containers = [];

    /// <summary>Complete nodes of the open containers, each with its place in the file; of one that a ':' implies, the complement of it.</summary>
    private readonly List<ConfigNode> _nodes = [];
    private readonly List<int> _places = [];
    private List<(int Place, string Path)>? _duplicates;
    private ConfigNode[] _top = [];
    private JsonValueKind _topKind;
    private int _depth;
    private int _place;

    /// <summary>After the last token: the keys at the top, under a node without a key.</summary>
    public ConfigNode Build()
    {
        if (_topKind != JsonValueKind.Object)
        {
            throw new FormatException($"Top-level JSON element must be an object. Instead, '{_topKind}' was found.");
        }

        return _duplicates is null
            ? new ConfigNode("", null, _top)
            : throw new FormatException($"Keys that are there twice (case is ignored): {string.Join(", ", _duplicates.OrderBy(d => d.Place).Select(d => d.Path))}");
    }

    public void Key(string key)
    {
        int end;
        while ((end = key.IndexOf(':')) >= 0)
        {
            _containers[_depth - 1].NextKey = key[..end];
            Open(isList: false, isImplied: true);
            key = key[(end + 1)..];
        }

        _containers[_depth - 1].NextKey = key;
    }

    public void StartMap() => Open(isList: false);

    public void StartList() => Open(isList: true);

    public void Value(string? value, JsonValueKind kind)
    {
        if (_depth == 0)
        {
            _topKind = kind;
            return;
        }

        StartItem(isImplied: false);
        Add(value, []);
        CloseImplied();
    }

    /// <summary>Of a map or a list.</summary>
    public void End()
    {
        Close();
        CloseImplied();
    }

    private void Open(bool isList, bool isImplied = false)
    {
        if (_depth > 0)
        {
            StartItem(isImplied);
        }
        else
        {
            _topKind = isList ? JsonValueKind.Array : JsonValueKind.Object;
        }

        if (_depth == _containers.Count)
        {
            _containers.Add(new Container());
        }

        var container = _containers[_depth++];
        container.IsList = isList;
        container.IsImplied = isImplied;
        container.First = _nodes.Count;
    }

    private void StartItem(bool isImplied)
    {
        var parent = _containers[_depth - 1];
        parent.NextPlace = isImplied ? ~_place++ : _place++;
        if (parent.IsList)
        {
            parent.NextKey = (_nodes.Count - parent.First).ToString(CultureInfo.InvariantCulture);
        }
    }

    private void Add(string? value, ConfigNode[] children)
    {
        var parent = _containers[_depth - 1];
        _nodes.Add(new ConfigNode(parent.NextKey, value, children));
        _places.Add(parent.NextPlace);
    }

    private void CloseImplied()
    {
        while (_depth > 0 && _containers[_depth - 1].IsImplied)
        {
            Close();
        }
    }

    private void Close()
    {
        var container = _containers[_depth - 1];
        var first = container.First;
        ConfigNode[] children = first == _nodes.Count ? [] : new ConfigNode[_nodes.Count - first];
        _nodes.CopyTo(first, children, 0, children.Length);
        if (!container.IsList && !ConfigNodeOrder.IsSorted(children))
        {
            Array.Sort(children, ConfigNodeOrder.Instance);

            // Still not: two are the same.
            children = ConfigNodeOrder.IsSorted(children) ? children : EachOnce(first);
        }

        _nodes.RemoveRange(first, _nodes.Count - first);
        _places.RemoveRange(first, _places.Count - first);
        if (--_depth == 0)
        {
            _top = children;
        }
        else
        {
            Add(container.IsList && children.Length == 0 ? "" : null, children);
        }
    }

    /// <summary>A key that is there twice is a mistake; one that is there by itself, and as a part of others with a ':', is one map.</summary>
    private ConfigNode[] EachOnce(int first)
    {
        var kept = new Dictionary<string, (ConfigNode Node, bool IsImplied)>(StringComparer.OrdinalIgnoreCase);
        for (var i = first; i < _nodes.Count; i++)
        {
            var (node, place) = (_nodes[i], _places[i]);
            if (!kept.TryGetValue(node.Key, out var other))
            {
                kept.Add(node.Key, (node, place < 0));
            }
            else if (!other.IsImplied && place >= 0)
            {
                AddDuplicate(place, PathOf(node.Key));
            }
            else
            {
                FindDuplicates(other.Node, node, Math.Max(place, ~place), PathOf(node.Key));
                kept[node.Key] = (other.Node.With(node), other.IsImplied && place < 0);
            }
        }

        ConfigNode[] nodes = [.. kept.Values.Select(pair => pair.Node)];
        Array.Sort(nodes, ConfigNodeOrder.Instance);
        return nodes;
    }

    private void FindDuplicates(ConfigNode a, ConfigNode b, int place, string path)
    {
        if ((a.Children.IsEmpty && b.Children.IsEmpty) || (a.Value is not null && b.Value is not null))
        {
            AddDuplicate(place, path);
        }

        foreach (var child in b.Children)
        {
            if (a.Find(child.Key) is { } other)
            {
                FindDuplicates(other, child, place, $"{path}:{child.Key}");
            }
        }
    }

    private void AddDuplicate(int place, string path) => (_duplicates ??= []).Add((place, path));

    /// <summary>Of a key in the innermost open container.</summary>
    private string PathOf(string key) => string.Join(':', _containers.Take(_depth - 1).Select(container => container.NextKey).Append(key));

    private sealed class Container
    {
        public bool IsList { get; set; }

        /// <summary>Opened by a key with ':'; ends with its one value.</summary>
        public bool IsImplied { get; set; }

        /// <summary>Where its children begin among the complete nodes.</summary>
        public int First { get; set; }

        public string NextKey { get; set; } = "";

        public int NextPlace { get; set; }
    }
}
