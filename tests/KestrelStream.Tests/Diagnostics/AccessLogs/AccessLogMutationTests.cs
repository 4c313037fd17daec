using System.Buffers;
using System.Text;
using System.Text.Json;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics.AccessLogs;
using KestrelStream.Tls;
using Xunit;

namespace KestrelStream.Tests.Diagnostics.AccessLogs;

/// <summary>Whatever a client says, a record is one line of its form: seeded mutations of names as attackers send them.</summary>
public sealed class AccessLogMutationTests
{
    private const int Rounds = 1000;
    private static readonly string s_pieces = "\"\\{}[]:,;= \t\r\n\0\u007f\u0085\u2028\ud800\udc00\uffffé-$x0a";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Format_MutatedNames_IsOneLineInEveryForm(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < Rounds; round++)
        {
            var name = Mutate(random);
            var record = AccessLogTemplateTests.Record with
            {
                ServerName = name,
                Tls = new TlsFacts("TLSv1.3", name, Mutate(random), null) { ClientCertificate = new ClientCertificate(Mutate(random), name, Mutate(random), "00") },
                ProxyHeader = new KestrelStream.ProxyProtocol.ProxyHeader { Version = 2, Authority = Mutate(random), UniqueId = Encoding.UTF8.GetBytes(Mutate(random)) },
            };

            var json = Line(AccessLogFormat.Json, record);
            using var parsed = JsonDocument.Parse(json);
            Assert.Equal(Valid(name), parsed.RootElement.GetProperty("sni").GetString());

            var pairs = Line(AccessLogFormat.Text, record).Split(' ');
            Assert.Equal(parsed.RootElement.EnumerateObject().Select(property => property.Name), pairs.Select(pair => pair.Split('=')[0]));

            var line = AccessLogTemplateTests.Format("[{time}] \"{sni}\" \"$ssl_alpn_protocol\" \"$ssl_client_s_dn\" {end_reason}", record).TrimEnd('\n');
            Assert.Equal(5, line.Split(' ').Length);
            Assert.Equal(7, line.Split('"').Length);
            Assert.EndsWith(" UpstreamReset", line, StringComparison.Ordinal);
            Assert.DoesNotContain(line, c => c is < ' ' or > '~');
        }
    }

    private static string Mutate(Random random)
    {
        var text = new StringBuilder(HostileNames.All[random.Next(HostileNames.All.Length)]);
        for (var change = random.Next(6); change > 0; change--)
        {
            var at = random.Next(text.Length + 1);
            switch (random.Next(3))
            {
                case 0:
                    text.Insert(at, s_pieces[random.Next(s_pieces.Length)]);
                    break;
                case 1 when at < text.Length:
                    text.Remove(at, 1);
                    break;
                case 2 when at < text.Length:
                    text[at] = (char)random.Next(char.MaxValue + 1);
                    break;
            }
        }

        return text.ToString();
    }

    private static string Line(AccessLogFormat format, AccessLogRecord record)
    {
        var output = new ArrayBufferWriter<byte>();
        AccessLogFormatter.Create(format, template: null, output).Format(record);
        var line = Encoding.UTF8.GetString(output.WrittenSpan);
        Assert.Equal(line.Length - 1, line.IndexOf('\n', StringComparison.Ordinal));
        Assert.DoesNotContain(line[..^1], c => c is < ' ' or > '~');
        return line[..^1];
    }

    private static string Valid(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
}
