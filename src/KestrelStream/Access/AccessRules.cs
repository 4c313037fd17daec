using System.Net;
using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.Tls;

namespace KestrelStream.Access;

/// <summary>
/// Who may come to a listener or a route: the smallest network that holds a client decides; one that is in none may come unless some are allowed by name.
/// Made by a reload and followed by <see cref="AccessWatch"/>, which swaps the table when a file has changed. Reading is safe on any thread.
/// </summary>
internal sealed class AccessRules
{
    private readonly AccessLists _lists;
    private readonly string _basePath;
    private volatile Compiled _compiled = new(null, AccessVerdict.None, default, default);

    private AccessRules(AccessLists lists, string owner, string basePath)
    {
        _lists = lists;
        _basePath = basePath;
        Owner = owner;
    }

    /// <summary>Path of the listener or route in the configuration.</summary>
    public string Owner { get; }

    public bool HasFiles => _lists.AllowFile is not null || _lists.DenyFile is not null;

    /// <summary>Networks in force.</summary>
    public int Count => _compiled.Table?.Count ?? 0;

    /// <summary>State of the files that the rules in force were made of.</summary>
    public (FileFingerprint Allow, FileFingerprint Deny) Files => (_compiled.AllowFile, _compiled.DenyFile);

    /// <summary>Null with an error for each file that is not good, or when there are no rules.</summary>
    /// <param name="lists">As they are written.</param>
    /// <param name="owner">Path of the listener or route.</param>
    /// <param name="basePath">What relative paths are relative to.</param>
    /// <param name="errors">Gets what is wrong.</param>
    public static AccessRules? Load(AccessLists lists, string owner, string basePath, ICollection<ConfigError> errors)
    {
        if (lists.IsEmpty)
        {
            return null;
        }

        var rules = new AccessRules(lists, owner, basePath);
        if (rules.TryRead() is not { } error)
        {
            return rules;
        }

        errors.Add(error);
        return null;
    }

    /// <param name="client">Null = its address is not known, as it is gone already.</param>
    public bool Allows(EndPoint? client)
    {
        var compiled = _compiled;
        var verdict = client switch
        {
            IPEndPoint { Address: var address } => compiled.Table![address],
            UnixDomainSocketEndPoint => compiled.Unix,
            _ => AccessVerdict.None,
        };
        return verdict == AccessVerdict.Allow || (verdict == AccessVerdict.None && !_lists.DeniesOthers);
    }

    /// <summary>The files as they are now.</summary>
    public (FileFingerprint Allow, FileFingerprint Deny) LookAtFiles() => (LookAt(_lists.AllowFile), LookAt(_lists.DenyFile));

    /// <summary>Reads the files and puts what they say in force. What is wrong, and then the old rules stay; null = nothing.</summary>
    public ConfigError? TryRead()
    {
        var networks = new Dictionary<IPNetwork, AccessVerdict>();
        var unix = AccessVerdict.None;
        if (Add(_lists.Allow, _lists.AllowFile, "Allow", AccessVerdict.Allow, out var allowFile) is { } problem
            || (problem = Add(_lists.Deny, _lists.DenyFile, "Deny", AccessVerdict.Deny, out var denyFile)) is not null)
        {
            return problem;
        }

        _compiled = new Compiled(new NetworkTable([.. networks.Select(rule => (rule.Key, rule.Value))]), unix, allowFile, denyFile);
        return null;

        ConfigError? Add(IReadOnlyList<string> list, string? file, string key, AccessVerdict verdict, out FileFingerprint fingerprint)
        {
            fingerprint = default;
            foreach (var text in list)
            {
                if (NetworkSyntax.TryParse(text, out var network))
                {
                    networks[network] = verdict;
                }
                else if (NetworkSyntax.IsUnix(text))
                {
                    unix = verdict;
                }
            }

            // What the path itself has wrong is said elsewhere.
            return string.IsNullOrEmpty(file) ? null : AddFile(file, $"{Owner}:{key}File", verdict, out fingerprint);
        }

        ConfigError? AddFile(string file, string path, AccessVerdict verdict, out FileFingerprint fingerprint)
        {
            var why = NetworkFile.Read(file, _basePath, out var read, out var hasUnix, out fingerprint);
            foreach (var network in read)
            {
                if (networks.TryGetValue(network, out var other) && other != verdict)
                {
                    why ??= $"{network} is both allowed and denied; valid: each network once";
                }

                networks[network] = verdict;
            }

            if (hasUnix && unix != AccessVerdict.None && unix != verdict)
            {
                why ??= "unix: is both allowed and denied; valid: once";
            }

            unix = hasUnix ? verdict : unix;
            return why is null ? null : new ConfigError(path, $"{ErrorText.Quote(file)}: {why}");
        }
    }

    private FileFingerprint LookAt(string? file) => string.IsNullOrEmpty(file) ? default : FileFingerprint.Read(Path.GetFullPath(file, _basePath));

    private sealed record Compiled(NetworkTable? Table, AccessVerdict Unix, FileFingerprint AllowFile, FileFingerprint DenyFile);
}
