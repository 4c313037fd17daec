namespace KestrelStream.Routing;

/// <summary>
/// Walks the routes of a table whose names fit a server name, in the order in which they are to be tried. Allocates nothing.
/// Choosing a route and explaining the choice both walk it, so that they cannot differ.
/// </summary>
/// <remarks>
/// exact → *.suffix, longest first → prefix.*, longest first → ~regex → routes without names. Within a step as
/// <see cref="RouteEntry.Compare"/> says. A route with several fitting patterns comes more than once.
/// </remarks>
internal ref struct RouteCandidates
{
    private readonly RouteTable _table;
    private readonly ReadOnlySpan<char> _name;
    private Step _step;

    /// <summary>Where the name was cut last, or how many expressions were tried.</summary>
    private int _position;

    private RouteGroup _group;
    private Step _groupStep;

    /// <summary>Index into the others of the group.</summary>
    private int _next;

    /// <param name="table">The routes.</param>
    /// <param name="name">Lower-cased, without a trailing dot; null = the client gave none.</param>
    public RouteCandidates(RouteTable table, string? name)
    {
        _table = table;
        _name = name;
        _step = name is null ? Step.Unnamed : Step.Exact;
    }

    private enum Step
    {
        Exact,
        Suffix,
        Prefix,
        Regex,
        Unnamed,
        End,
    }

    public RouteEntry Current { get; private set; } = null!;

    /// <summary>The pattern by which <see cref="Current"/> came up; null = it has none and takes every name.</summary>
    public readonly string? CurrentPattern => _groupStep switch
    {
        Step.Exact => _name.ToString(),
        Step.Suffix => $"*.{_name[_position..]}",
        Step.Prefix => $"{_name[.._position]}.*",
        Step.Regex => "~" + _table.Expressions[_position - 1].Pattern.Key,
        _ => null,
    };

    /// <summary>Goes to the next one; false at the end.</summary>
    public bool MoveNext()
    {
        if (_group.Others is { } others && _next < others.Length)
        {
            Current = others[_next++];
            return true;
        }

        while (_step != Step.End)
        {
            _next = 0;
            _groupStep = _step;
            _group = NextGroup();
            if (_group.First is { } first)
            {
                Current = first;
                return true;
            }
        }

        _group = default;
        return false;
    }

    private RouteGroup NextGroup()
    {
        switch (_step)
        {
            case Step.Exact:
                _step = Step.Suffix;
                return _table.Exact.Find(_name);

            case Step.Suffix:
                var nextDot = _name[_position..].IndexOf('.');
                if (nextDot < 0)
                {
                    _step = Step.Prefix;
                    _position = _name.Length;
                    return default;
                }

                _position += nextDot + 1;
                return _table.Suffixes.Find(_name[_position..]);

            case Step.Prefix:
                var lastDot = _name[.._position].LastIndexOf('.');
                if (lastDot < 0)
                {
                    _step = Step.Regex;
                    _position = 0;
                    return default;
                }

                _position = lastDot;
                return _table.Prefixes.Find(_name[..lastDot]);

            case Step.Regex:
                while (_position < _table.Expressions.Length)
                {
                    var (pattern, route) = _table.Expressions[_position++];
                    if (pattern.Regex!.IsMatch(_name))
                    {
                        return new RouteGroup(route, null);
                    }
                }

                _step = Step.Unnamed;
                return default;

            default:
                _step = Step.End;
                return _table.Unnamed;
        }
    }
}
