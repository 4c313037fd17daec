namespace KestrelStream.Tls.OpenSsl;

/// <summary>What <see cref="BioMethod"/> reads from and writes to. Native memory, owned by <see cref="TlsBuffers"/>.</summary>
internal unsafe struct BioState
{
    public byte* Input;
    public int InputCount;
    public int OutputRoom;

    /// <summary>Where the next byte goes.</summary>
    public byte* Output;
}
