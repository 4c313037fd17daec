using System.Net;
using KestrelStream.Access;

namespace KestrelStream.Configuration.Validation;

/// <summary>Who may come to a listener or a route, as far as no file is read.</summary>
internal static class AccessValidator
{
    private const string ValidFile = "a file of networks, one a line";

    public static void Validate(ValidationContext context, string path, AccessLists lists)
    {
        CheckNetworks(context, $"{path}:Allow", lists.Allow);
        CheckNetworks(context, $"{path}:Deny", lists.Deny);
        CheckFile(lists.AllowFile, "AllowFile");
        CheckFile(lists.DenyFile, "DenyFile");

        // The smaller network wins, and these are of one size.
        var allowed = lists.Allow.Select(Normalize).ToHashSet(StringComparer.Ordinal);
        for (var i = 0; i < lists.Deny.Count; i++)
        {
            if (allowed.Contains(Normalize(lists.Deny[i])))
            {
                context.AddError($"{path}:Deny:{i}", $"{ErrorText.Quote(lists.Deny[i])} is in Allow too; valid: each network in one of the two");
            }
        }

        void CheckFile(string? file, string key)
        {
            if (file is not null)
            {
                FilePath.Check(context, $"{path}:{key}", file, ValidFile);
            }
        }
    }

    /// <summary>A list of networks, each once.</summary>
    public static void CheckNetworks(ValidationContext context, string path, IReadOnlyList<string> networks)
    {
        for (var i = 0; i < networks.Count; i++)
        {
            if (!NetworkSyntax.IsNetwork(networks[i]))
            {
                context.AddError($"{path}:{i}", $"{ErrorText.Quote(networks[i])} is not a network; valid: {NetworkSyntax.Valid}");
            }
        }

        var end = path.LastIndexOf(':');
        context.CheckDuplicates(path[..end], path[(end + 1)..], networks, StringComparer.OrdinalIgnoreCase);
    }

    private static string Normalize(string text)
        => NetworkSyntax.TryParse(text, out var network) ? network.ToString() : text.ToLowerInvariant();
}
