using System.Security.Cryptography.X509Certificates;
using KestrelStream.Tls.Ocsp;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>Questions to OCSP responders, and what their answers are worth. Pure, as far as the caller sees; thread-safe.</summary>
internal static unsafe class OpenSslOcsp
{
    /// <summary>How wrong the clocks of a responder may be; what OpenSSL's own commands allow.</summary>
    private static readonly TimeSpan s_skew = TimeSpan.FromMinutes(5);

    /// <summary>DER of a question about one certificate; null = OpenSSL cannot make one.</summary>
    public static byte[]? Ask(X509Certificate2 leaf, X509Certificate2 issuer)
    {
        OpenSslNative.ERR_clear_error();
        var id = IdOf(leaf, issuer, digest: 0);
        var request = OpenSslNative.OCSP_REQUEST_new();
        try
        {
            if (id == 0 || request == 0 || OpenSslNative.OCSP_request_add0_id(request, id) == 0)
            {
                OpenSslNative.OCSP_CERTID_free(id);
                return null;
            }

            var count = OpenSslNative.i2d_OCSP_REQUEST(request, null);
            var der = new byte[Math.Max(count, 0)];
            fixed (byte* start = der)
            {
                var bytes = start;
                return count > 0 && OpenSslNative.i2d_OCSP_REQUEST(request, &bytes) == count ? der : null;
            }
        }
        finally
        {
            OpenSslNative.OCSP_REQUEST_free(request);
        }
    }

    /// <summary>Judges an answer: by whom it is signed, about which certificate it speaks, and whether it speaks of now.</summary>
    /// <param name="der">From the network or a file.</param>
    /// <param name="leaf">Whom it must be about.</param>
    /// <param name="issuer">Who has issued that one.</param>
    /// <param name="now">The time.</param>
    /// <param name="problem">What is wrong with it, as the end of a sentence; null = nothing.</param>
    public static OcspAnswer? Verify(byte[] der, X509Certificate2 leaf, X509Certificate2 issuer, DateTimeOffset now, out string? problem)
    {
        OpenSslNative.ERR_clear_error();
        var basic = Read(der, out problem);
        var trusted = OpenSslCertificate.Read(OpenSslScope.Shared, issuer.RawDataMemory.Span);
        try
        {
            if (basic == 0)
            {
                return null;
            }

            if (trusted == 0 || !IsSignedFor(basic, trusted))
            {
                problem = $"its signature is not that of the certificate's issuer ({OpenSslError.Take().Text})";
                return null;
            }

            var answer = Find(basic, leaf, issuer) with { Der = der };
            problem = answer.Status == OcspStatus.Failed ? "it is about another certificate"
                : answer.ThisUpdate > now + s_skew ? "it is of the future"
                : answer.NextUpdate is { } end && end <= now ? $"it has expired on {end:u}"
                : null;
            return problem is null ? answer : null;
        }
        finally
        {
            OpenSslNative.OCSP_BASICRESP_free(basic);
            OpenSslNative.X509_free(trusted);
            OpenSslNative.ERR_clear_error();
        }
    }

    /// <summary>Whether bytes are an answer at all. Null = they are.</summary>
    public static string? WhyNotAnswer(byte[] der)
    {
        OpenSslNative.ERR_clear_error();
        OpenSslNative.OCSP_BASICRESP_free(Read(der, out var problem));
        OpenSslNative.ERR_clear_error();
        return problem;
    }

    private static nint Read(byte[] der, out string? problem)
    {
        fixed (byte* start = der)
        {
            var bytes = start;
            var response = OpenSslNative.d2i_OCSP_RESPONSE(null, &bytes, new(der.Length));
            var status = response == 0 ? -1 : OpenSslNative.OCSP_response_status(response);
            var basic = status == OpenSslNative.OcspSuccessful ? OpenSslNative.OCSP_response_get1_basic(response) : 0;
            OpenSslNative.OCSP_RESPONSE_free(response);
            problem = basic != 0 ? null
                : status > 0 ? $"the responder refuses to answer (status {status} of RFC 6960 §4.2.1)"
                : "it is no OCSP response in DER";
            return basic;
        }
    }

    private static bool IsSignedFor(nint basic, nint issuer)
    {
        var store = OpenSslNative.X509_STORE_new();
        var stack = OpenSslNative.OPENSSL_sk_new_null();
        var isSigned = store != 0 && stack != 0
            && OpenSslNative.X509_STORE_add_cert(store, issuer) == 1
            && OpenSslNative.X509_STORE_set_flags(store, new(OpenSslNative.CheckPartialChain)) == 1
            && OpenSslNative.OPENSSL_sk_push(stack, issuer) > 0
            && OpenSslNative.OCSP_basic_verify(basic, stack, store, new(0)) == 1;
        OpenSslNative.OPENSSL_sk_free(stack);
        OpenSslNative.X509_STORE_free(store);
        return isSigned;
    }

    /// <summary>By whichever digest the responder has named the certificate.</summary>
    private static OcspAnswer Find(nint basic, X509Certificate2 leaf, X509Certificate2 issuer)
    {
        foreach (var digest in new[] { 0, OpenSslNative.EVP_sha256() })
        {
            int status = 0, reason = 0;
            nint revoked = 0, thisUpdate = 0, nextUpdate = 0;
            var id = IdOf(leaf, issuer, digest);
            var isFound = id != 0 && OpenSslNative.OCSP_resp_find_status(basic, id, &status, &reason, &revoked, &thisUpdate, &nextUpdate) == 1;
            OpenSslNative.OCSP_CERTID_free(id);
            if (isFound && TimeOf(thisUpdate) is { } from)
            {
                var meaning = status == OpenSslNative.OcspGood ? OcspStatus.Good : status == OpenSslNative.OcspRevoked ? OcspStatus.Revoked : OcspStatus.Unknown;
                return new OcspAnswer([], meaning, from, TimeOf(nextUpdate));
            }
        }

        return new OcspAnswer([], OcspStatus.Failed, default, null);
    }

    private static nint IdOf(X509Certificate2 leaf, X509Certificate2 issuer, nint digest)
    {
        var subject = OpenSslCertificate.Read(OpenSslScope.Shared, leaf.RawDataMemory.Span);
        var authority = OpenSslCertificate.Read(OpenSslScope.Shared, issuer.RawDataMemory.Span);
        var id = subject == 0 || authority == 0 ? 0 : OpenSslNative.OCSP_cert_to_id(digest, subject, authority);
        OpenSslNative.X509_free(subject);
        OpenSslNative.X509_free(authority);
        return id;
    }

    private static DateTimeOffset? TimeOf(nint time)
    {
        OpenSslNative.BrokenDownTime parts;
        return time != 0 && OpenSslNative.ASN1_TIME_to_tm(time, &parts) == 1 && parts.YearSince1900 is > 0 and < 8_000
            ? new DateTimeOffset(1900 + parts.YearSince1900, 1 + parts.Month, parts.Day, parts.Hour, parts.Minute, Math.Min(parts.Second, 59), TimeSpan.Zero)
            : null;
    }
}
