namespace KestrelStream.Configuration.Validation;

/// <summary>The ids of one map, for references to it. Ids ignore case, whatever dictionary they come from.</summary>
internal sealed class IdSet
{
    private readonly HashSet<string> _ids;
    private readonly string _noun;
    private readonly bool _isKnown;
    private string[]? _sorted;

    /// <param name="noun">What an id stands for, with its article: <c>a cluster</c>.</param>
    /// <param name="ids">The ids there are.</param>
    /// <param name="isKnown">False when the map could not be read: every id may be in it then.</param>
    public IdSet(string noun, IEnumerable<string> ids, bool isKnown)
    {
        _isKnown = isKnown;
        _noun = noun;
        _ids = new HashSet<string>(ids, StringComparer.OrdinalIgnoreCase);
    }

    public bool Contains(string id) => !_isKnown || _ids.Contains(id);

    public string UnknownId(string id)
        => ErrorText.NotOneOf(id, _noun, _sorted ??= [.. _ids.Order(StringComparer.OrdinalIgnoreCase)]);
}
