using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>
/// An OpenSSL library context of a loop's own. OpenSSL 3 counts references to its algorithms, contexts and keys, and looks algorithms up under locks,
/// dozens of times a handshake: two loops that share them pay a sixth more for each. One for each number of a loop, for the life of the process, because
/// contexts of it may live as long. Thread-safe.
/// </summary>
internal sealed unsafe class OpenSslScope
{
    /// <summary>More loops share from the first on.</summary>
    private const int Most = 64;

    private static readonly Lock s_lock = new();
    private static readonly OpenSslScope?[] s_scopes = new OpenSslScope[Most];
    private static readonly Lazy<bool> s_areSeparate = new(HasOnlyDefaultProvider);

    private nint _ticketCipher;

    private OpenSslScope(int index, nint libraryContext)
    {
        Index = index;
        LibraryContext = libraryContext;
    }

    /// <summary>The one that .NET uses; for what serves no client.</summary>
    public static OpenSslScope Shared { get; } = new(0, 0);

    /// <summary>Below <see cref="Count"/>.</summary>
    public int Index { get; }

    /// <summary>0 = the one that .NET uses.</summary>
    public nint LibraryContext { get; }

    public static int Count => Most;

    /// <summary>AES-256-CBC, looked up once. 0 = it is not there.</summary>
    public nint TicketCipher
    {
        get
        {
            if (_ticketCipher == 0)
            {
                // Two threads that come here at once would each hold a reference, for the life of the process: no harm.
                _ticketCipher = OpenSslNative.EVP_CIPHER_fetch(LibraryContext, Utf8("AES-256-CBC\0"u8), null);
            }

            return _ticketCipher;
        }
    }

    /// <param name="number">Of the loop.</param>
    public static OpenSslScope ForLoop(int number)
    {
        var index = number % Most;
        lock (s_lock)
        {
            return s_scopes[index] ??= new OpenSslScope(index, s_areSeparate.Value ? OpenSslNative.OSSL_LIB_CTX_new() : 0);
        }
    }

    /// <summary>
    /// A library context of one's own knows nothing of openssl.cnf, and reading that again for it is not thread-safe: where it has said which
    /// providers there are (FIPS, hardware), all loops use the context that it was read for.
    /// </summary>
    private static bool HasOnlyDefaultProvider()
    {
        var others = 0;
        return OpenSslNative.OSSL_PROVIDER_available(0, Utf8("default\0"u8)) == 1
            && OpenSslNative.EVP_default_properties_is_fips_enabled(0) == 0
            && OpenSslNative.OSSL_PROVIDER_do_all(0, &CountOther, &others) == 1
            && others == 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int CountOther(nint provider, void* others)
    {
        var name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(OpenSslNative.OSSL_PROVIDER_get0_name(provider));
        if (!name.SequenceEqual("default"u8))
        {
            ++*(int*)others;
        }

        return 1;
    }

    /// <summary>Literals lie in the image and do not move.</summary>
    /// <param name="literal">Ends with a zero.</param>
    public static byte* Utf8(ReadOnlySpan<byte> literal) => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(literal));
}
