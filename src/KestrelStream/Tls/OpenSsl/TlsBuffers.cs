using System.Runtime.InteropServices;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>
/// What all TLS sessions of one loop share: where OpenSSL reads and writes while it is being called. Between two calls nothing of a session is in
/// here. For the loop's thread only; native, because OpenSSL's callbacks use it and must never meet a moved object. Disposed by its loop.
/// </summary>
internal sealed unsafe class TlsBuffers : IDisposable
{
    /// <summary>Most that is handed to OpenSSL at once, in either direction.</summary>
    public const int InputBytes = 64 * 1024;

    /// <summary>Decrypted: one input, and what OpenSSL kept of a record that was cut.</summary>
    public const int PlainBytes = InputBytes + 32 * 1024;

    /// <summary>Encrypted: one input, with what its records add (RFC 5246 §6.2.3 allows 2 KiB each, of which some 100 bytes are used), and answers.</summary>
    private const int OutputBytes = InputBytes + 32 * 1024;

    private readonly BioState* _state;
    private readonly byte* _output;

    /// <param name="loop">Its number.</param>
    public TlsBuffers(int loop)
    {
        Scope = OpenSslScope.ForLoop(loop);
        _state = (BioState*)NativeMemory.AllocZeroed((nuint)sizeof(BioState));
        _output = (byte*)NativeMemory.Alloc(OutputBytes);
        Plain = (byte*)NativeMemory.Alloc(PlainBytes);
        _state->Output = _output;
        _state->OutputRoom = OutputBytes;
    }

    public OpenSslScope Scope { get; }

    /// <summary>Room for what is decrypted.</summary>
    public byte* Plain { get; }

    /// <summary>What OpenSSL has written and nobody has taken yet.</summary>
    public byte* Output => _output;

    public int OutputCount => (int)(_state->Output - _output);

    /// <summary>What OpenSSL has not read of its input.</summary>
    public ReadOnlySpan<byte> Unread => new(_state->Input, _state->InputCount);

    /// <summary>For <see cref="BioMethod"/>.</summary>
    public void* State => _state;

    /// <param name="bytes">Must not move until OpenSSL has read them.</param>
    /// <param name="count">How many.</param>
    public void SetInput(byte* bytes, int count)
    {
        _state->Input = bytes;
        _state->InputCount = count;
    }

    public void ClearInput() => SetInput(null, 0);

    public void ClearOutput()
    {
        _state->Output = _output;
        _state->OutputRoom = OutputBytes;
    }

    public void Dispose()
    {
        NativeMemory.Free(_state);
        NativeMemory.Free(_output);
        NativeMemory.Free(Plain);
    }
}
