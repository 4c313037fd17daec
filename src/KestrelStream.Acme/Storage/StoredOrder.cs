using KestrelStream.Configuration;

namespace KestrelStream.Acme.Storage;

/// <summary>An order that is under way, as it is kept: a restart goes on with it.</summary>
internal sealed record StoredOrder
{
    /// <summary>URL of the authority's directory.</summary>
    public string? Directory { get; init; }

    /// <summary>URL of the order.</summary>
    public string? Url { get; init; }

    /// <summary>What it is for.</summary>
    public IReadOnlyList<string>? Names { get; init; }

    /// <summary>Of the certificate: PKCS#8 as PEM.</summary>
    public string? Key { get; init; }

    /// <summary>The kind of <see cref="Key"/>.</summary>
    public AcmeKeyType KeyType { get; init; }

    /// <summary>Whether it is what would be ordered now.</summary>
    public bool Fits(AcmeConfig config)
        => Directory == config.Directory && KeyType == config.KeyType && Url is not null && Key is not null && Names is not null
            && Names.SequenceEqual(config.Names, StringComparer.OrdinalIgnoreCase);
}
