namespace KestrelStream.Access;

/// <summary>What a rule says of a client.</summary>
internal enum AccessVerdict : byte
{
    /// <summary>No rule speaks of it.</summary>
    None,

    Allow,
    Deny,
}
