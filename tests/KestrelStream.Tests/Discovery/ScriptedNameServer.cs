using System.Net;
using System.Net.Sockets;
using System.Text;
using KestrelStream.Discovery;

namespace KestrelStream.Tests.Discovery;

/// <summary>A name server that sends what the test says, however wrong: for each query all the datagrams, an empty one = none.</summary>
internal sealed class ScriptedNameServer : IAsyncDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly Task _loop;

    public ScriptedNameServer(params Func<ushort, Question, byte[]>[] answers)
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        EndPoint = (IPEndPoint)_socket.LocalEndPoint!;
        _loop = RunAsync(answers);
    }

    public IPEndPoint EndPoint { get; }

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        await _loop;
    }

    private async Task RunAsync(Func<ushort, Question, byte[]>[] answers)
    {
        var buffer = new byte[512];
        try
        {
            while (true)
            {
                var received = await _socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0));
                var question = Read(buffer.AsSpan(0, received.ReceivedBytes));
                var id = (ushort)((buffer[0] << 8) | buffer[1]);
                foreach (var answer in answers.Select(answer => answer(id, question)).Where(answer => answer.Length > 0))
                {
                    await _socket.SendToAsync(answer, received.RemoteEndPoint);
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private static Question Read(ReadOnlySpan<byte> query)
    {
        var labels = new List<string>();
        var at = 12;
        for (; query[at] > 0; at += query[at] + 1)
        {
            labels.Add(Encoding.ASCII.GetString(query.Slice(at + 1, query[at])));
        }

        return new Question(string.Join('.', labels), (DnsType)((query[at + 1] << 8) | query[at + 2]), HasEdns: query[11] == 1);
    }

    internal sealed record Question(string Name, DnsType Type, bool HasEdns);
}
