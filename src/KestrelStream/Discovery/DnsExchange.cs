using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace KestrelStream.Discovery;

/// <summary>One query to one name server, over UDP or TCP. Stateless. A socket a query: its port is another one each time, which a forger has to guess.</summary>
internal static class DnsExchange
{
    /// <summary>So many datagrams that do not answer the query are no accident: somebody is guessing. TCP cannot be guessed at.</summary>
    private const int MostUnrelated = 8;

    /// <param name="server">Connected to: the kernel lets nobody else's datagrams through.</param>
    /// <param name="question">What is asked.</param>
    /// <param name="withEdns">Whether the server is to know that longer answers are welcome.</param>
    /// <param name="cancellationToken">The time is up.</param>
    public static async ValueTask<DnsReply> AskOverUdpAsync(IPEndPoint server, DnsQuestion question, bool withEdns, CancellationToken cancellationToken)
    {
        var (id, query) = NewQuery(question, withEdns);
        var buffer = ArrayPool<byte>.Shared.Rent(ushort.MaxValue);
        try
        {
            using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            await socket.ConnectAsync(server, cancellationToken);
            await socket.SendAsync(query, cancellationToken);
            for (var unrelated = 0; unrelated < MostUnrelated;)
            {
                var received = await socket.ReceiveAsync(buffer, cancellationToken);
                if (DnsMessageParser.Parse(buffer.AsSpan(0, received), id, question, out var answer) == DnsVerdict.Answer)
                {
                    return DnsReply.Of(answer!);
                }

                // As good as not arrived: the server's own answer may still come.
                unrelated++;
            }

            return DnsReply.Of(new DnsMessage(DnsResponseCode.NoError, IsTruncated: true, [], []));
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            return Failed(server, e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <param name="server">Dialled.</param>
    /// <param name="question">What is asked.</param>
    /// <param name="cancellationToken">The time is up.</param>
    public static async ValueTask<DnsReply> AskOverTcpAsync(IPEndPoint server, DnsQuestion question, CancellationToken cancellationToken)
    {
        var (id, query) = NewQuery(question, withEdns: false);
        var buffer = ArrayPool<byte>.Shared.Rent(ushort.MaxValue);
        try
        {
            using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(server, cancellationToken);
            var framed = new byte[2 + query.Length];
            BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)query.Length);
            query.CopyTo(framed, 2);
            for (var sent = 0; sent < framed.Length;)
            {
                sent += await socket.SendAsync(framed.AsMemory(sent), cancellationToken);
            }

            var length = await ReceiveAsync(socket, buffer.AsMemory(0, 2), cancellationToken) ? BinaryPrimitives.ReadUInt16BigEndian(buffer) : -1;
            if (length < 0 || !await ReceiveAsync(socket, buffer.AsMemory(0, length), cancellationToken))
            {
                return DnsReply.Failed($"{server} ended the connection without an answer");
            }

            var verdict = DnsMessageParser.Parse(buffer.AsSpan(0, length), id, question, out var answer);
            return verdict == DnsVerdict.Answer ? DnsReply.Of(answer!) : DnsReply.Failed($"{server} sent what is no answer");
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            return Failed(server, e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static (ushort Id, byte[] Query) NewQuery(DnsQuestion question, bool withEdns)
    {
        var id = (ushort)RandomNumberGenerator.GetInt32(ushort.MaxValue + 1);
        return (id, question.ToQuery(id, withEdns));
    }

    private static async ValueTask<bool> ReceiveAsync(Socket socket, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (buffer.Length > 0)
        {
            var received = await socket.ReceiveAsync(buffer, cancellationToken);
            if (received == 0)
            {
                return false;
            }

            buffer = buffer[received..];
        }

        return true;
    }

    private static DnsReply Failed(IPEndPoint server, Exception e)
        => DnsReply.Failed(e is SocketException socket ? $"{server}: {socket.SocketErrorCode}" : $"{server} does not answer");
}
