using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using KestrelStream.TestKit;

namespace KestrelStream.FunctionalTests.StartTls;

/// <summary>
/// A MySQL server without TLS whose users have caching_sha2_password or sha256_password, as MySQL 8 documents them; it keeps to packet numbers to the letter, and
/// answers every query with OK. Which passwords it has in its cache is for the test to say.
/// </summary>
internal sealed class MySqlServer : IAsyncDisposable
{
    public const string CachingSha2 = "caching_sha2_password";
    public const string Sha256 = "sha256_password";

    private readonly RSA _key = RSA.Create(2048);
    private readonly string _method;
    private readonly string _password;
    private readonly ScriptedUpstream _upstream;

    /// <param name="method">Of its user.</param>
    /// <param name="password">Of its user.</param>
    /// <param name="greets">The method of its greeting; another one than the user's makes it ask again.</param>
    public MySqlServer(string method, string password, string greets)
    {
        (_method, _password, Greets) = (method, password, greets);
        _upstream = new ScriptedUpstream(ServeAsync);
    }

    public IPEndPoint EndPoint => _upstream.EndPoint;

    public string Greets { get; }

    /// <summary>It knows the hash of the password, and need not see it.</summary>
    public bool IsCached { get; set; }

    /// <summary>It has no key to give.</summary>
    public bool HasNoKey { get; init; }

    /// <summary>Logins whose password was decrypted with its key.</summary>
    public int Decrypted { get; private set; }

    public int Queries { get; private set; }

    /// <summary>First broken rule of the protocol.</summary>
    public Exception? Failure => _upstream.Failure;

    public async ValueTask DisposeAsync()
    {
        await _upstream.DisposeAsync();
        _key.Dispose();
    }

    public static byte[] Greeting(byte[] scramble, string method, bool hasTls = false)
    {
        ushort lower = (ushort)(hasTls ? 0xffff : 0xf7ff);
        return
        [
            10, .. "8.4.0-scripted\0"u8, 7, 0, 0, 0, .. scramble[..8], 0, (byte)lower, (byte)(lower >> 8), 45, 2, 0, 0xff, 0xdf, 21, .. new byte[10], .. scramble[8..], 0,
            .. Encoding.ASCII.GetBytes(method), 0,
        ];
    }

    private async Task ServeAsync(Socket socket)
    {
        var scramble = Scramble();
        await SendAsync(socket, 0, Greeting(scramble, Greets));
        var login = await ReadAsync(socket, 1);
        if ((login[1] & 0x08) != 0)
        {
            throw new InvalidOperationException("The client asks for TLS in its login.");
        }

        // A user with a NUL at the end, an answer with its length, and the method among the rest.
        var answerAt = Array.IndexOf(login, (byte)0, 32) + 2;
        var answer = login[answerAt..(answerAt + login[answerAt - 1])];
        byte number = 2;
        if (Encoding.ASCII.GetString(login).IndexOf(_method, StringComparison.Ordinal) < 0)
        {
            scramble = Scramble();
            await SendAsync(socket, 2, [0xfe, .. Encoding.ASCII.GetBytes(_method), 0, .. scramble, 0]);
            answer = await ReadAsync(socket, 3);
            number = 4;
        }

        var (isRight, next) = _method == Sha256 ? await Sha256Async(socket, answer, scramble, number) : await CachingSha2Async(socket, answer, scramble, number);
        if (!isRight)
        {
            await SendAsync(socket, next, [0xff, 0x15, 0x04, .. "#28000Access denied for user 'me' (using password: YES)"u8]);
            return;
        }

        await SendAsync(socket, next, Ok);
        while (await ReadAsync(socket, 0) is { Length: > 0 } command && command[0] != 1)
        {
            Queries++;
            await SendAsync(socket, 1, Ok);
        }
    }

    private static byte[] Ok => [0, 0, 0, 2, 0, 0, 0];

    private async Task<(bool IsRight, byte Next)> CachingSha2Async(Socket socket, byte[] answer, byte[] scramble, byte number)
    {
        if (IsCached && answer.AsSpan().SequenceEqual(Hashed(scramble)))
        {
            await SendAsync(socket, number, [1, 3]);
            return (true, (byte)(number + 1));
        }

        await SendAsync(socket, number, [1, 4]);
        var question = await ReadAsync(socket, (byte)(number + 1));
        if (question is not [2])
        {
            throw new InvalidOperationException($"Not a question for the key: {Convert.ToHexString(question)}");
        }

        return await KeyAsync(socket, scramble, (byte)(number + 2));
    }

    private async Task<(bool IsRight, byte Next)> Sha256Async(Socket socket, byte[] answer, byte[] scramble, byte number)
        => answer is [1] ? await KeyAsync(socket, scramble, number) : throw new InvalidOperationException($"Not a question for the key: {Convert.ToHexString(answer)}");

    private async Task<(bool IsRight, byte Next)> KeyAsync(Socket socket, byte[] scramble, byte number)
    {
        if (HasNoKey)
        {
            return (false, number);
        }

        await SendAsync(socket, number, [1, .. Encoding.ASCII.GetBytes(_key.ExportSubjectPublicKeyInfoPem() + "\n")]);
        var hidden = _key.Decrypt(await ReadAsync(socket, (byte)(number + 1)), RSAEncryptionPadding.OaepSHA1);
        Decrypted++;
        var password = hidden.Select((b, i) => (byte)(b ^ scramble[i % scramble.Length])).ToArray();
        return (password.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(_password + "\0")), (byte)(number + 2));
    }

    /// <summary>XOR(SHA256(password), SHA256(SHA256(SHA256(password)), scramble)).</summary>
    private byte[] Hashed(byte[] scramble)
    {
        var once = SHA256.HashData(Encoding.UTF8.GetBytes(_password));
        var rest = SHA256.HashData([.. SHA256.HashData(once), .. scramble]);
        return [.. once.Select((b, i) => (byte)(b ^ rest[i]))];
    }

    private static byte[] Scramble() => [.. RandomNumberGenerator.GetBytes(20).Select(b => (byte)(b % 90 + 33))];

    private static Task SendAsync(Socket socket, byte number, byte[] payload)
        => socket.SendAllAsync((byte[])[(byte)payload.Length, (byte)(payload.Length >> 8), 0, number, .. payload]);

    private static async Task<byte[]> ReadAsync(Socket socket, byte number)
    {
        var header = await socket.ReceiveExactlyAsync(4);
        if (header[3] != number)
        {
            throw new InvalidOperationException($"Packet {header[3]} where {number} was to come.");
        }

        return await socket.ReceiveExactlyAsync(header[0] | header[1] << 8 | header[2] << 16);
    }
}
