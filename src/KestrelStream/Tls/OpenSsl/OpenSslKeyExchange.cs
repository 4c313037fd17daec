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
}
