using System.Globalization;

namespace KestrelStream.Configuration.Validation;

/// <summary>One run of validation: the configuration, the ids that may be referred to, and the errors so far. Used by one thread.</summary>
internal sealed class ValidationContext
{
    private readonly List<ConfigError> _errors;
    private readonly HashSet<string> _misread = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _misreadWithin = new(StringComparer.OrdinalIgnoreCase);

    public ValidationContext(ConfigResult read, ValidationHooks hooks)
    {
        Config = read.Config;
        Root = read.Section;
        Hooks = hooks;
        _errors = [.. read.Errors];
        foreach (var error in read.Errors)
        {
            // An error elsewhere is one of the file itself: nothing could be read then.
            _misread.Add(IsWithinRoot(error.Path) ? error.Path : Root);
            for (var path = error.Path; path.Length > 0; path = Parent(path))
            {
                _misreadWithin.Add(path);
            }
        }

        Listeners = IdsOf("a listener", "Listeners", Config.Listeners.Keys);
        Certificates = IdsOf("a certificate", "Certificates", Config.Certificates.Keys);
        Routes = IdsOf("a route", "Routes", Config.Routes.Keys);
        Clusters = IdsOf("a cluster", "Clusters", Config.Clusters.Keys);
    }

    public StreamProxyConfig Config { get; }

    /// <summary>Path of the whole configuration: <c>StreamProxy</c>.</summary>
    public string Root { get; }

    public ValidationHooks Hooks { get; }

    public IdSet Listeners { get; }

    public IdSet Certificates { get; }

    public IdSet Clusters { get; }

    public IdSet Routes { get; }

    public IReadOnlyList<ConfigError> Errors => _errors;

    /// <summary>Adds an error, unless the path or one above it could not be read: its default is at fault then, and the user has been told.</summary>
    public void AddError(string path, string message)
    {
        if (!IsWithinMisread(path))
        {
            _errors.Add(new ConfigError(path, message));
        }
    }

    /// <summary>Whether something at, above or below a path could not be read: what it says as a whole is not known then.</summary>
    public bool IsMisread(string path) => _misread.Count > 0 && (_misreadWithin.Contains(path) || IsWithinMisread(path));

    /// <summary>Items of a map by id, so that errors come in the same order however the keys are ordered; checks the ids on the way.</summary>
    public IEnumerable<(string Id, string Path, T Item)> Items<T>(string mapPath, IReadOnlyDictionary<string, T> map)
    {
        string? last = null;
        foreach (var id in map.Keys.Order(StringComparer.OrdinalIgnoreCase))
        {
            var path = $"{mapPath}:{id}";
            if (id.Length == 0 || HasControl(id))
            {
                AddError(path, $"{ErrorText.Quote(id)} is not an id; valid: one or more characters, no control characters");
            }

            // Possible only in dictionaries built in code.
            if (id.Equals(last, StringComparison.OrdinalIgnoreCase))
            {
                AddError(path, $"{ErrorText.Quote(id)} is there twice; valid: ids that differ in more than case");
            }

            last = id;
            yield return (id, path, map[id]);
        }
    }

    public void CheckRange(string path, string key, int? value, int lowest, int highest = int.MaxValue)
    {
        if (value < lowest || value > highest)
        {
            var valid = highest == int.MaxValue ? $"{lowest} or more" : $"{lowest} to {highest}";
            AddError($"{path}:{key}", string.Create(CultureInfo.InvariantCulture, $"{value} is out of range; valid: {valid}"));
        }
    }

    /// <summary>Times run from <paramref name="shortest"/> to <see cref="Duration.Longest"/>; some may be infinite.</summary>
    public void CheckTime(string path, string key, TimeSpan? value, TimeSpan shortest, bool mayBeInfinite = false)
    {
        if (value is null || (value == Timeout.InfiniteTimeSpan && mayBeInfinite))
        {
            return;
        }

        if (value < shortest || value > Duration.Longest)
        {
            var infinite = mayBeInfinite ? $", {Duration.Infinite}" : "";
            AddError($"{path}:{key}", $"\"{Duration.Format(value.Value)}\" is out of range; valid: {Duration.Format(shortest)} to {Duration.Format(Duration.Longest)}{infinite}");
        }
    }

    /// <summary>A list without repetitions.</summary>
    public void CheckDuplicates<T>(string path, string key, IReadOnlyList<T> values, IEqualityComparer<T>? comparer = null)
    {
        if (values.Count < 2)
        {
            return;
        }

        var seen = new HashSet<T>(comparer);
        for (var i = 0; i < values.Count; i++)
        {
            if (!seen.Add(values[i]))
            {
                AddError($"{path}:{key}:{i}", $"{ErrorText.Quote(values[i]!.ToString()!)} is in the list twice; valid: each once");
            }
        }
    }

    /// <summary>ALPN protocol names: RFC 7301 §3.1.</summary>
    public void CheckAlpn(string path, string key, IReadOnlyList<string> protocols)
    {
        for (var i = 0; i < protocols.Count; i++)
        {
            if (System.Text.Encoding.UTF8.GetByteCount(protocols[i]) is < 1 or > byte.MaxValue)
            {
                AddError($"{path}:{key}:{i}", $"{ErrorText.Quote(protocols[i])} is not an ALPN protocol; valid: 1 to 255 bytes, as h2, http/1.1, postgresql");
            }
        }

        CheckDuplicates(path, key, protocols, StringComparer.Ordinal);
    }

    private static bool HasControl(string id)
    {
        foreach (var c in id)
        {
            if (char.IsControl(c))
            {
                return true;
            }
        }

        return false;
    }

    private IdSet IdsOf(string noun, string key, IEnumerable<string> ids)
        => new(noun, ids, isKnown: !_misread.Contains($"{Root}:{key}"));

    private bool IsWithinRoot(string path)
        => path.StartsWith(Root, StringComparison.OrdinalIgnoreCase) && (path.Length == Root.Length || path[Root.Length] == ':');

    private bool IsWithinMisread(string path)
    {
        if (_misread.Count == 0)
        {
            return false;
        }

        while (path.Length > 0 && !_misread.Contains(path))
        {
            path = Parent(path);
        }

        return path.Length > 0;
    }

    private static string Parent(string path)
    {
        var end = path.LastIndexOf(':');
        return end < 0 ? "" : path[..end];
    }
}
