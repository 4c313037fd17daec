using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using KestrelStream.Transport;
using KestrelStream.Transport.Sockets;

namespace KestrelStream.Health.Checks;

/// <summary>
/// The connection of one check, plain or TLS: sends, and collects what comes in one bounded buffer. Used by one probe; errors are values.
/// </summary>
internal sealed class ProbeConnection(SocketConnection socket) : IDisposable
{
    /// <summary>More is not needed to judge an answer, whatever a peer sends.</summary>
    public const int MaxBytes = 64 * 1024;

    private byte[] _buffer = [];
    private int _start;
    private int _end;
    private SslStream? _tls;

    /// <summary>What the check waits for, in words: shown when it takes too long.</summary>
    public string Waiting { get; private set; } = "no answer";

    /// <summary>End of the certificate that was shown.</summary>
    public DateTimeOffset? CertificateExpires { get; private set; }

    /// <summary>The peer has ended its sending, or the connection broke.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>No more than <see cref="MaxBytes"/> are kept.</summary>
    public bool IsFull => _end - _start >= MaxBytes;

    /// <summary>What has come and was not consumed.</summary>
    public ReadOnlySpan<byte> Received => _buffer.AsSpan(_start, _end - _start);

    public void Consume(int count) => _start += count;

    /// <summary>Null when the handshake is done and the certificate is good.</summary>
    public async ValueTask<ProbeResult?> StartTlsAsync(ProbeTls settings)
    {
        Waiting = "no end of the TLS handshake";
        _tls = new SslStream(new StreamConnectionStream(socket), leaveInnerStreamOpen: true);
        var judgement = new ProbeTls.Judgement();
        try
        {
            await _tls.AuthenticateAsClientAsync(settings.CreateOptions(judgement));
        }
        catch (Exception e) when (e is AuthenticationException or IOException or InvalidOperationException or ObjectDisposedException)
        {
            // SslStream has no other way to say that a handshake failed.
            CertificateExpires = judgement.Expires;
            return new ProbeResult(CheckResult.Tls, judgement.Problem ?? EscapedText.Show(Encoding.UTF8.GetBytes((e.InnerException ?? e).Message)));
        }

        CertificateExpires = judgement.Expires;
        Waiting = "no answer";
        return null;
    }

    /// <summary>Of the TLS connection; null when there is none.</summary>
    public string? TlsVersion => _tls?.SslProtocol switch { SslProtocols.Tls13 => "TLSv1.3", SslProtocols.Tls12 => "TLSv1.2", null => null, var other => other.ToString() };

    /// <summary>False when the connection broke.</summary>
    public async ValueTask<bool> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        if (_tls is null)
        {
            return (await socket.SendAsync(bytes)).IsOk;
        }

        try
        {
            await _tls.WriteAsync(bytes);
            return true;
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>Waits for more; false when nothing more comes, or no more is kept.</summary>
    public async ValueTask<bool> ReceiveAsync()
    {
        if (HasEnded || IsFull)
        {
            return false;
        }

        MakeRoom();
        var count = await ReceiveAsync(_buffer.AsMemory(_end));
        HasEnded = count == 0;
        _end += count;
        return count > 0;
    }

    /// <summary>Waits until so many bytes are there; false when the peer ended before.</summary>
    public async ValueTask<bool> ReceiveAsync(int atLeast)
    {
        while (Received.Length < atLeast)
        {
            if (!await ReceiveAsync())
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Orderly: FIN. After a reset it does nothing.</summary>
    public void Dispose()
    {
        socket.Close();
        _tls?.Dispose();
    }

    private void MakeRoom()
    {
        if (_start > 0)
        {
            Received.CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Clamp(_buffer.Length * 2, 512, MaxBytes));
        }
    }

    private async ValueTask<int> ReceiveAsync(Memory<byte> buffer)
    {
        if (_tls is null)
        {
            return (await socket.ReceiveAsync(buffer)).Count;
        }

        try
        {
            return await _tls.ReadAsync(buffer);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or ObjectDisposedException)
        {
            return 0;
        }
    }
}
