using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>
/// A BIO over <see cref="BioState"/>: OpenSSL reads what a receive has just brought, and what it writes is gathered for one send. One method for the
/// process; thread-safe. A session has a BIO of its own.
/// </summary>
/// <remarks>Callbacks run on the stack of OpenSSL: they touch native memory alone and throw nothing.</remarks>
internal static unsafe class BioMethod
{
    private static readonly nint s_method = Create();

    /// <summary>A BIO that its SSL is to own; 0 = no memory.</summary>
    public static nint NewBio(TlsBuffers buffers)
    {
        var bio = OpenSslNative.BIO_new(s_method);
        if (bio != 0)
        {
            OpenSslNative.BIO_set_data(bio, buffers.State);
        }

        return bio;
    }

    /// <summary>It reads and writes there from now on.</summary>
    public static void Move(nint bio, TlsBuffers buffers) => OpenSslNative.BIO_set_data(bio, buffers.State);

    private static nint Create()
    {
        fixed (byte* name = "kestrelstream loop\0"u8)
        {
            var method = OpenSslNative.BIO_meth_new(OpenSslNative.BIO_get_new_index() | OpenSslNative.BioSourceSink, name);
            _ = OpenSslNative.BIO_meth_set_read(method, &Read);
            _ = OpenSslNative.BIO_meth_set_write(method, &Write);
            _ = OpenSslNative.BIO_meth_set_ctrl(method, &Control);
            return method;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Read(nint bio, byte* buffer, int count)
    {
        var state = (BioState*)OpenSslNative.BIO_get_data(bio);
        OpenSslNative.BIO_clear_flags(bio, OpenSslNative.BioFlagsOfRetry);
        var read = Math.Min(count, state->InputCount);
        if (read <= 0)
        {
            // The end of the connection is not told here: whoever receives knows it, and knows whether close_notify came before it.
            OpenSslNative.BIO_set_flags(bio, OpenSslNative.BioFlagRead | OpenSslNative.BioFlagRetry);
            return -1;
        }

        Buffer.MemoryCopy(state->Input, buffer, count, read);
        state->Input += read;
        state->InputCount -= read;
        return read;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Write(nint bio, byte* bytes, int count)
    {
        var state = (BioState*)OpenSslNative.BIO_get_data(bio);
        OpenSslNative.BIO_clear_flags(bio, OpenSslNative.BioFlagsOfRetry);
        var written = Math.Min(count, state->OutputRoom);
        if (written <= 0)
        {
            OpenSslNative.BIO_set_flags(bio, OpenSslNative.BioFlagWrite | OpenSslNative.BioFlagRetry);
            return -1;
        }

        Buffer.MemoryCopy(bytes, state->Output, state->OutputRoom, written);
        state->Output += written;
        state->OutputRoom -= written;
        return written;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static CLong Control(nint bio, int command, CLong number, nint pointer) => new(command == OpenSslNative.BioControlFlush ? 1 : 0);
}
