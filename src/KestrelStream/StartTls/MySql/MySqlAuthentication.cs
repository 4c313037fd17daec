using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using KestrelStream.Dialing;
using KestrelStream.Model;
using KestrelStream.Sessions;
using KestrelStream.Transport.EventLoop;

namespace KestrelStream.StartTls.MySql;

/// <summary>
/// The login of a client whose TLS has ended here, until the server has said yes or no: then packets begin anew with number 0 on both sides, and bytes are relayed.
/// Of one session; its clock bounds every wait, all together to the listener's HandshakeTimeout.
/// </summary>
internal sealed class MySqlAuthentication : IDisposable
{
    /// <summary>Of server and client together. The longest known method takes eight; others ask questions.</summary>
    private const int MostPackets = 64;

    private const string CachingSha2 = "caching_sha2_password";
    private const string Sha256 = "sha256_password";

    /// <summary>What caching_sha2_password says besides yes or no: the password is known by its hash; it has to be sent.</summary>
    private const byte IsKnown = 3;
    private const byte SendPassword = 4;

    /// <summary>How the server is asked for its public key.</summary>
    private static readonly byte[] s_askOfCachingSha2 = [2];
    private static readonly byte[] s_askOfSha256 = [1];

    private readonly StreamSession _session;
    private readonly MySqlPeer _client;
    private readonly long _deadline;
    private MySqlPeer? _server;
    private byte[] _scramble;
    private string _method = "";

    public MySqlAuthentication(StreamSession session, MySqlGreeting greeting)
    {
        _session = session;
        _scramble = greeting.Scramble;
        _deadline = session.Environment.Clock.Now + (long)session.ListenerModel.Config.HandshakeTimeout.TotalMilliseconds;

        // Its request for TLS was 1.
        _client = new MySqlPeer(LoopTlsConnection.Over(session.Client), next: MySqlRequest.Number + 1);
    }

    public void Dispose()
    {
        _client.Dispose();
        _server?.Dispose();
    }

    /// <summary>To a server with TLS of its own: it is asked for it in the client's words, and numbers its packets as the client does.</summary>
    public async ValueTask<bool> PassOnAsync(UpstreamDialer dialer, ClusterModel cluster)
    {
        var login = await ReadLoginAsync();
        if (login.IsEmpty)
        {
            return false;
        }

        EnterServerWait();
        var upstream = _session.Upstream!;
        var request = MySqlPacket.Create(login.Span.Slice(MySqlPacket.HeaderBytes, MySqlLogin.FixedBytes), MySqlRequest.Number);
        var capabilities = request.AsSpan(MySqlPacket.HeaderBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(capabilities, (uint)(MySqlLogin.CapabilitiesOf(capabilities) | MySqlCapabilities.Ssl));
        if (!(await upstream.SendAsync(request)).IsOk)
        {
            return false;
        }

        if (!await dialer.SecureLaterAsync(_session, cluster))
        {
            return false;
        }

        EnterServerWait();
        _server = new MySqlPeer(LoopTlsConnection.Over(_session.Upstream!), next: MySqlRequest.Number + 1);
        return await _server.SendAsync(login) && await FinishAsync();
    }

    /// <summary>To a server that sees no TLS: every packet gets another number, and a password that only TLS would protect is encrypted.</summary>
    public async ValueTask<bool> ConvertAsync()
    {
        var packet = await ReadLoginAsync();
        if (packet.IsEmpty)
        {
            return false;
        }

        if (!MySqlLogin.TryParse(packet.Span[MySqlPacket.HeaderBytes..], out var login))
        {
            return Violated();
        }

        _server = new MySqlPeer(_session.Upstream!, next: MySqlRequest.Number);
        _method = login.Method;
        EnterServerWait();

        // Little-endian: bit 11 is in the second byte.
        packet.Span[MySqlPacket.HeaderBytes + 1] &= unchecked((byte)~((uint)MySqlCapabilities.Ssl >> 8));
        var isSent = _method == Sha256 && login.AnswerBytes > 1
            ? await LogInBySha256Async(packet, login)
            : await _server.SendAsync(packet);
        return isSent && await AuthenticateAsync() && await FinishAsync();
    }

    /// <summary>Until the server's last word.</summary>
    private async ValueTask<bool> AuthenticateAsync()
    {
        for (var packets = 0; packets < MostPackets; packets++)
        {
            var answer = await ReadServerAsync();
            if (answer.IsEmpty)
            {
                return false;
            }

            // Kept, as the buffer may be used again.
            var kind = answer.Span[0];
            var isSecond = answer is { Length: 2 } && kind == MySqlPacket.MoreData && _method == CachingSha2;
            var word = isSecond ? answer.Span[1] : (byte)0;
            if (kind == MySqlPacket.AuthSwitch)
            {
                Switch(answer.Span[1..]);
            }

            EnterClientWait();
            if (!await _client.SendAsync(_server!.Last))
            {
                return Gone();
            }

            if (kind is MySqlPacket.Ok or MySqlPacket.Error)
            {
                return true;
            }

            if (word != IsKnown && !await AnswerAsync(wantsPassword: word == SendPassword || (kind == MySqlPacket.AuthSwitch && _method == Sha256)))
            {
                return false;
            }
        }

        return Violated();
    }

    /// <summary>The client's packet, to the server.</summary>
    private async ValueTask<bool> AnswerAsync(bool wantsPassword)
    {
        var packet = await ReadClientAsync();
        if (packet.IsEmpty)
        {
            return false;
        }

        EnterServerWait();
        var payload = packet[MySqlPacket.HeaderBytes..];

        // One byte is no password: an empty one, or a client that asks for the key itself.
        return wantsPassword && payload.Length > 1
            ? await SendToServerAsync(_method == Sha256 ? s_askOfSha256 : s_askOfCachingSha2) && await SendEncryptedAsync(payload)
            : await _server!.SendAsync(packet);
    }

    /// <summary>The client, which knows of TLS only, has put its password into the login: the server gets the question for its key in place of it.</summary>
    private async ValueTask<bool> LogInBySha256Async(Memory<byte> packet, MySqlLogin login)
    {
        var payload = packet[MySqlPacket.HeaderBytes..];
        var (start, length) = login.Answer.GetOffsetAndLength(payload.Length);
        byte[] question = [.. payload.Span[..start], (byte)s_askOfSha256.Length, .. s_askOfSha256, .. payload.Span[(start + length)..]];
        return await SendToServerAsync(question) && await SendEncryptedAsync(payload.Slice(start + length - login.AnswerBytes, login.AnswerBytes));
    }

    /// <summary>A packet of ours.</summary>
    private ValueTask<bool> SendToServerAsync(ReadOnlySpan<byte> payload) => _server!.SendAsync(MySqlPacket.Create(payload, number: 0));

    /// <summary>What the client does itself where it has no TLS. The client is told nothing of it: it has sent one packet, and the next one is the server's.</summary>
    private async ValueTask<bool> SendEncryptedAsync(Memory<byte> password)
    {
        var answer = await ReadServerAsync();
        if (answer.IsEmpty)
        {
            return false;
        }

        if (answer.Span[0] != MySqlPacket.MoreData)
        {
            // An error: there is no key, or this user has another method. It is the client's.
            _server!.Unread();
            return true;
        }

        var encrypted = MySqlPublicKey.Encrypt(answer.Span[1..], password.Span, _scramble);
        CryptographicOperations.ZeroMemory(password.Span);
        if (encrypted is null)
        {
            _session.TryEnd(SessionEndReason.ConnectRefused);
            return false;
        }

        return await SendToServerAsync(encrypted);
    }

    /// <summary>Another method: its name, and its scramble with a NUL. Nothing at all = that of MySQL before 4.1.</summary>
    private void Switch(ReadOnlySpan<byte> payload)
    {
        var at = 0;
        _method = MySqlPacket.TryReadText(payload, ref at, out var method) ? Encoding.ASCII.GetString(method) : "";
        if (payload.Length - at >= MySqlGreeting.ScrambleBytes)
        {
            _scramble = payload.Slice(at, MySqlGreeting.ScrambleBytes).ToArray();
        }
    }

    private async ValueTask<Memory<byte>> ReadLoginAsync()
    {
        var packet = await ReadClientAsync();
        if (!packet.IsEmpty && packet.Length < MySqlRequest.Bytes)
        {
            Violated();
            return default;
        }

        return packet;
    }

    private async ValueTask<Memory<byte>> ReadClientAsync()
    {
        EnterClientWait();
        var packet = await _client.ReadAsync();
        if (packet.IsEmpty)
        {
            _ = _client.IsViolated ? Violated() : Gone();
        }

        return packet;
    }

    /// <summary>Without its header; empty = the server is gone, or does not keep the rules.</summary>
    private async ValueTask<Memory<byte>> ReadServerAsync()
    {
        EnterServerWait();
        var packet = await _server!.ReadAsync();
        return packet.Length <= MySqlPacket.HeaderBytes ? default : packet[MySqlPacket.HeaderBytes..];
    }

    /// <summary>What either has said behind its last word goes on, and with it the connections.</summary>
    private async ValueTask<bool> FinishAsync()
    {
        EnterClientWait();
        return await _client.LetGoAsync() is { } up && await _server!.LetGoAsync() is { } down
            && (up.IsEmpty || (await _server.Connection.SendAsync(up)).IsOk) && (down.IsEmpty || (await _client.Connection.SendAsync(down)).IsOk);
    }

    private TimeSpan Left => TimeSpan.FromMilliseconds(Math.Max(1, _deadline - _session.Environment.Clock.Now));

    /// <summary>In this phase the clock ends the session as one whose client did not get through its handshake.</summary>
    private void EnterClientWait() => _session.Enter(SessionPhase.Handshake, Left);

    /// <summary>In this one it ends the connection with the server, and the session as one that could not be connected.</summary>
    private void EnterServerWait() => _session.Enter(SessionPhase.Dial, Left);

    private bool Violated()
    {
        _session.TryEnd(SessionEndReason.ProtocolViolation);
        return false;
    }

    private bool Gone()
    {
        _session.TryEnd(SessionEndReason.ClientGone);
        return false;
    }
}
