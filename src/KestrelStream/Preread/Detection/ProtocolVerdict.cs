namespace KestrelStream.Preread.Detection;

/// <summary>
/// What the bytes so far say of one protocol. <see cref="Yes"/> and <see cref="No"/> are final: more bytes never change them, so a choice that waits only
/// while it must is the same however the bytes were cut.
/// </summary>
internal enum ProtocolVerdict
{
    No,

    /// <summary>Right so far.</summary>
    NeedMore,

    Yes,
}
