using System.Formats.Asn1;
using System.Net;
using System.Text;

namespace KestrelStream.Tls;

/// <summary>Reads the extension subjectAltName (RFC 5280 §4.2.1.6): .NET's own reader knows only two of its kinds of names. Pure.</summary>
internal static class GeneralNames
{
    public const string SubjectAlternativeNameOid = "2.5.29.17";

    private static readonly Asn1Tag s_email = new(TagClass.ContextSpecific, 1);
    private static readonly Asn1Tag s_dns = new(TagClass.ContextSpecific, 2);
    private static readonly Asn1Tag s_uri = new(TagClass.ContextSpecific, 6);
    private static readonly Asn1Tag s_address = new(TagClass.ContextSpecific, 7);

    /// <summary>Names as OpenSSL writes them, a comma between two; other kinds are left out. Null = none, or it is damaged.</summary>
    public static string? TextOf(byte[] extension)
    {
        var text = new StringBuilder();
        try
        {
            for (var names = new AsnReader(extension, AsnEncodingRules.DER).ReadSequence(); names.HasData;)
            {
                var tag = names.PeekTag();
                if (tag == s_address)
                {
                    var bytes = names.ReadOctetString(s_address);
                    Append("IP Address", bytes.Length is 4 or 16 ? new IPAddress(bytes).ToString() : null);
                }
                else if (tag == s_email || tag == s_dns || tag == s_uri)
                {
                    Append(tag == s_email ? "email" : tag == s_dns ? "DNS" : "URI", names.ReadCharacterString(UniversalTagNumber.IA5String, tag));
                }
                else
                {
                    names.ReadEncodedValue();
                }
            }
        }
        catch (AsnContentException)
        {
            return null;
        }

        return text.Length == 0 ? null : text.ToString();

        void Append(string kind, string? name)
        {
            if (name is not null)
            {
                text.Append(text.Length == 0 ? "" : ", ").Append(kind).Append(':').Append(name);
            }
        }
    }
}
