using System.Net.Security;
using System.Text;
using KestrelStream.Configuration;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>Gives a context groups and suites, and says what is wrong with those that OpenSSL does not take. For servers' contexts and clients'. Thread-safe.</summary>
internal static unsafe class OpenSslKeyExchange
{
    /// <param name="context">An SSL_CTX.</param>
    /// <param name="ciphers">An OpenSSL cipher string, for TLS 1.2.</param>
    public static bool SetCiphers(nint context, string ciphers)
    {
        fixed (byte* text = Encoding.UTF8.GetBytes(ciphers + '\0'))
        {
            return OpenSslNative.SSL_CTX_set_cipher_list(context, text) == 1;
        }
    }

    /// <param name="context">An SSL_CTX.</param>
    /// <param name="suites">Of TLS 1.3; judged by <see cref="Tls13Suites"/> before, because OpenSSL 3.0 passes over those it does not know.</param>
    public static bool SetSuites(nint context, string suites)
    {
        fixed (byte* text = Encoding.UTF8.GetBytes(suites + '\0'))
        {
            return OpenSslNative.SSL_CTX_set_ciphersuites(context, text) == 1;
        }
    }

    /// <summary>The order of TLS 1.3 where a route leaves it to us: <see cref="Tls13Suites.Quick"/>, unless the system's <c>openssl.cnf</c> has one of its own.</summary>
    /// <param name="context">A server's SSL_CTX.</param>
    public static bool SetQuickSuites(nint context)
        => !Tls13SuitesOf(context).SequenceEqual(Tls13Suites.Defaults) || SetSuites(context, string.Join(':', Tls13Suites.Quick));

    /// <param name="context">An SSL_CTX.</param>
    /// <param name="groups">Names with colons between.</param>
    public static bool SetGroups(nint context, string groups)
    {
        fixed (byte* text = Encoding.UTF8.GetBytes(string.Join(':', TlsGroups.Names(groups)) + '\0'))
        {
            return OpenSslNative.SetGroups(context, text);
        }
    }

    /// <summary>Why a list of groups was refused. The context is of no more use.</summary>
    public static string WhyNotGroups(nint context, string groups)
    {
        var names = TlsGroups.Names(groups);
        var unknown = Array.Find(names, name => !SetGroups(context, name));
        OpenSslNative.ERR_clear_error();
        return unknown is not null
            ? ErrorText.NotOneOf(unknown, "a group of the OpenSSL here", [.. TlsGroups.Usual.Where(name => SetGroups(context, name))])
            : $"{ErrorText.Quote(groups)} has a group twice, under one name or two; valid: each once";
    }

    private static IEnumerable<TlsCipherSuite> Tls13SuitesOf(nint context)
    {
        var ciphers = OpenSslNative.SSL_CTX_get_ciphers(context);
        var count = ciphers == 0 ? 0 : OpenSslNative.OPENSSL_sk_num(ciphers);
        return [.. Enumerable.Range(0, count)
            .Select(i => (TlsCipherSuite)OpenSslNative.SSL_CIPHER_get_protocol_id(OpenSslNative.OPENSSL_sk_value(ciphers, i)))
            .Where(suite => Tls13Suites.IsOne(suite))];
    }
}
