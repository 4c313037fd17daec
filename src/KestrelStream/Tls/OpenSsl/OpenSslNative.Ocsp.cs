using System.Runtime.InteropServices;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>Calls that concern OCSP (RFC 6960) and stapled answers (RFC 6066 §8).</summary>
internal static unsafe partial class OpenSslNative
{
    public const int OcspSuccessful = 0;
    public const int OcspGood = 0;
    public const int OcspRevoked = 1;

    public const int StatusOk = 0;
    public const int StatusNothing = 3;

    /// <summary>What is in the store is trusted, be it a root or not.</summary>
    public const uint CheckPartialChain = 0x80000;

    private const int ControlSetStatusCallback = 63;
    private const int ControlSetStatusResponse = 71;

    public static bool SetStatusCallback(nint context, delegate* unmanaged[Cdecl]<nint, nint, int> callback)
        => SSL_CTX_callback_ctrl(context, ControlSetStatusCallback, (nint)callback) == 1;

    /// <summary>Takes over the bytes, which <see cref="CRYPTO_malloc"/> has made.</summary>
    public static bool SetStatusResponse(nint ssl, void* bytes, int count) => SSL_ctrl(ssl, ControlSetStatusResponse, count, (nint)bytes) == 1;

    [LibraryImport(Crypto)]
    public static partial void* CRYPTO_malloc(nuint count, byte* file, int line);

    /// <summary>No reference of one's own: the certificate that a context was given last, or that a handshake has chosen.</summary>
    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_get0_certificate(nint context);

    [LibraryImport(Ssl)]
    public static partial nint SSL_get_certificate(nint ssl);

    /// <summary>Owned by the caller. A null digest is SHA-1, which is what responders know.</summary>
    [LibraryImport(Crypto)]
    public static partial nint OCSP_cert_to_id(nint digest, nint subject, nint issuer);

    [LibraryImport(Crypto)]
    public static partial nint EVP_sha256();

    [LibraryImport(Crypto)]
    public static partial void OCSP_CERTID_free(nint id);

    [LibraryImport(Crypto)]
    public static partial nint OCSP_REQUEST_new();

    [LibraryImport(Crypto)]
    public static partial void OCSP_REQUEST_free(nint request);

    /// <summary>Takes over the id, unless it fails.</summary>
    [LibraryImport(Crypto)]
    public static partial nint OCSP_request_add0_id(nint request, nint id);

    [LibraryImport(Crypto)]
    public static partial int i2d_OCSP_REQUEST(nint request, byte** bytes);

    [LibraryImport(Crypto)]
    public static partial nint d2i_OCSP_RESPONSE(nint* reuse, byte** bytes, CLong count);

    [LibraryImport(Crypto)]
    public static partial void OCSP_RESPONSE_free(nint response);

    [LibraryImport(Crypto)]
    public static partial int OCSP_response_status(nint response);

    /// <summary>Owned by the caller.</summary>
    [LibraryImport(Crypto)]
    public static partial nint OCSP_response_get1_basic(nint response);

    [LibraryImport(Crypto)]
    public static partial void OCSP_BASICRESP_free(nint basic);

    /// <summary>1 = signed by the issuer that it speaks for, or by whom that one has charged with it.</summary>
    [LibraryImport(Crypto)]
    public static partial int OCSP_basic_verify(nint basic, nint certificates, nint store, CULong flags);

    /// <summary>1 = found. The times belong to the answer; the last may be 0.</summary>
    [LibraryImport(Crypto)]
    public static partial int OCSP_resp_find_status(nint basic, nint id, int* status, int* reason, nint* revoked, nint* thisUpdate, nint* nextUpdate);

    [LibraryImport(Crypto)]
    public static partial int ASN1_TIME_to_tm(nint time, BrokenDownTime* result);

    [LibraryImport(Ssl)]
    private static partial nint SSL_CTX_callback_ctrl(nint context, int command, nint callback);

    [LibraryImport(Ssl)]
    private static partial nint SSL_ctrl(nint ssl, int command, nint number, nint pointer);

    /// <summary>struct tm of Linux.</summary>
    public struct BrokenDownTime
    {
        public int Second;
        public int Minute;
        public int Hour;
        public int Day;
        public int Month;
        public int YearSince1900;
        public int DayOfWeek;
        public int DayOfYear;
        public int IsSummer;
        public nint OffsetFromUtc;
        public nint Zone;
    }
}
