using System.Globalization;

namespace KestrelStream.Configuration.Sources;

/// <summary>
/// Order of the children of a key, the one of .NET's ConfigurationKeyComparer: numbers first, by value, so that a list keeps its order; then
/// the others, ignoring case. Zero only for keys that are the same.
/// </summary>
internal sealed class ConfigNodeOrder : IComparer<ConfigNode>
{
    public static readonly ConfigNodeOrder Instance = new();

    int IComparer<ConfigNode>.Compare(ConfigNode? a, ConfigNode? b) => Compare(a!.Key, b!.Key);

    public static int Compare(string a, string b)
    {
        var aIsNumber = IsNumber(a, out var aNumber);
        var bIsNumber = IsNumber(b, out var bNumber);
        var byNumber = aIsNumber && bIsNumber ? aNumber.CompareTo(bNumber) : bIsNumber.CompareTo(aIsNumber);
        return byNumber != 0 ? byNumber : string.Compare(a, b, StringComparison.OrdinalIgnoreCase);
    }

    public static bool IsSorted(ReadOnlySpan<ConfigNode> nodes)
    {
        for (var i = 1; i < nodes.Length; i++)
        {
            if (Compare(nodes[i - 1].Key, nodes[i].Key) >= 0)
            {
                return false;
            }
        }

        return true;
    }

    // Signs and white space come before the digits.
    private static bool IsNumber(string key, out int number)
    {
        number = 0;
        return key.Length > 0 && key[0] <= '9' && int.TryParse(key, NumberStyles.Integer, CultureInfo.InvariantCulture, out number);
    }
}
