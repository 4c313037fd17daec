using System.Buffers.Binary;
using System.Text;

namespace KestrelStream.Health.Checks.Probes;

/// <summary>
/// PostgreSQL's start-up up to the authentication request; no password is needed. A server that lets the user in without one is asked
/// to the end of the start-up, and told good-bye.
/// </summary>
internal sealed class PostgreSqlProbe : IHealthProbe
{
    private const int Header = 5;

    /// <summary>ErrorResponses and requests are some hundred bytes; a longer one is not PostgreSQL's.</summary>
    private const int MaxMessage = 30_000;

    private static readonly byte[] Terminate = [(byte)'X', 0, 0, 0, 4];

    private readonly byte[] _startup;

    public PostgreSqlProbe(string user, string? database)
    {
        var parameters = Encoding.UTF8.GetBytes($"user\0{user}\0{(database is null ? "" : $"database\0{database}\0")}application_name\0kestrelstream-check\0\0");
        _startup = new byte[8 + parameters.Length];
        BinaryPrimitives.WriteInt32BigEndian(_startup, _startup.Length);
        BinaryPrimitives.WriteInt32BigEndian(_startup.AsSpan(4), 3 << 16);
        parameters.CopyTo(_startup, 8);
    }

    public async ValueTask<ProbeResult> ProbeAsync(ProbeConnection connection)
    {
        if (!await connection.SendAsync(_startup))
        {
            return ProbeResult.Unexpected("the connection was reset", connection.Received);
        }

        while (await connection.ReceiveAsync(Header))
        {
            var type = (char)connection.Received[0];
            var length = BinaryPrimitives.ReadInt32BigEndian(connection.Received[1..]);
            if (length is < 4 or > MaxMessage)
            {
                return ProbeResult.Unexpected("not PostgreSQL", connection.Received);
            }

            if (!await connection.ReceiveAsync(1 + length))
            {
                break;
            }

            if (Judge(type, connection.Received[Header..(1 + length)]) is { } result)
            {
                if (type == 'Z')
                {
                    await connection.SendAsync(Terminate);
                }

                return result;
            }

            connection.Consume(1 + length);
        }

        return ProbeResult.Unexpected("the connection ended before an authentication request", connection.Received);
    }

    /// <summary>Null = the start-up goes on.</summary>
    private static ProbeResult? Judge(char type, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case 'R' when body.Length >= 4 && BinaryPrimitives.ReadInt32BigEndian(body) is var method:
                return method == 0 ? null : new ProbeResult(CheckResult.Healthy, $"authentication request {method}");
            case 'Z':
                return new ProbeResult(CheckResult.Healthy, "ready for query");
            case 'E':
                return JudgeError(body);

            // ParameterStatus, BackendKeyData, NegotiateProtocolVersion, NoticeResponse.
            case 'S' or 'K' or 'v' or 'N':
                return null;
            default:
                return ProbeResult.Unexpected($"not PostgreSQL, message type {EscapedText.Show([(byte)type])}", body);
        }
    }

    /// <summary>
    /// As pg_isready: a server that refuses this user (class 28) or database (3D) works; one that starts, stops or recovers (57P) or is out
    /// of connections (53) takes no sessions.
    /// </summary>
    private static ProbeResult JudgeError(ReadOnlySpan<byte> body)
    {
        var code = Field(body, (byte)'C');
        var text = $"{EscapedText.Show(code)} {EscapedText.Show(Field(body, (byte)'M'))}";
        return code.Length == 5 && (code.StartsWith("28"u8) || code.StartsWith("3D"u8))
            ? new ProbeResult(CheckResult.Healthy, text)
            : new ProbeResult(CheckResult.Protocol, text);
    }

    private static ReadOnlySpan<byte> Field(ReadOnlySpan<byte> fields, byte type)
    {
        while (fields.Length > 1 && fields[0] != 0)
        {
            var end = fields.IndexOf((byte)0);
            if (end < 0)
            {
                break;
            }

            if (fields[0] == type)
            {
                return fields[1..end];
            }

            fields = fields[(end + 1)..];
        }

        return default;
    }
}
