using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using KestrelStream.Load.Backend;
using KestrelStream.Load.Interop;

namespace KestrelStream.Load.Client;

/// <summary>Small messages echoed over kept connections at fixed times, one in flight on each; measures how long each took. One thread uses it.</summary>
/// <remarks>
/// A message whose time comes while its connection still waits for the echo before it is sent late, and its latency counts from when it was
/// to be sent: a proxy that stalls cannot hide the stall by keeping the generator from asking.
/// </remarks>
internal sealed unsafe class PacedMessages(IPEndPoint proxy) : IDisposable
{
    private const int Connections = 32;

    /// <summary>4,000 a second: by themselves they keep no proxy busy.</summary>
    private const int IntervalMicroseconds = 250;

    private static readonly long s_interval = Stopwatch.Frequency * IntervalMicroseconds / 1_000_000;
    private static readonly long s_longestSilence = Stopwatch.Frequency * 10;

    private readonly KeptConnections _connections = new();
    private readonly ReadyQueue _queue = new();
    private readonly IntervalTimer _timer = new();
    private readonly Dictionary<int, Connection> _byDescriptor = [];
    private readonly List<double> _latencies = [];
    private long _begin;
    private int _amount;
    private int _due;

    public void Prepare(LoadErrors errors)
    {
        _connections.Open(proxy, Connections, errors);
        foreach (int descriptor in _connections.Descriptors)
        {
            _byDescriptor[descriptor] = new Connection(descriptor, _byDescriptor.Count);
            _ = _queue.Add(descriptor);
        }

        _ = _queue.Add(_timer.Descriptor);
    }

    /// <summary>Sends <paramref name="amount"/> messages and returns their latencies in microseconds, sorted; stops early after too many errors.</summary>
    public double[] Run(int amount, LoadErrors errors)
    {
        Connection[] connections = [.. _byDescriptor.Values];
        _amount = amount;
        _latencies.Capacity = amount;
        _begin = Stopwatch.GetTimestamp();
        if (!_timer.Start(IntervalMicroseconds * 1_000L))
        {
            errors.Add($"timer: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        long deadline = _begin + (s_interval * amount) + s_longestSilence;
        while (_latencies.Count < amount && !errors.TooMany)
        {
            // The timer ends the wait, whatever the proxy does.
            int ready = _queue.Wait();
            for (int i = 0; i < ready && !errors.TooMany; i++)
            {
                if (_byDescriptor.TryGetValue(_queue.DescriptorAt(i), out Connection? connection))
                {
                    Receive(connection, errors);
                }
                else
                {
                    _timer.Acknowledge();
                }
            }

            long now = Stopwatch.GetTimestamp();
            for (; _due < amount && now >= TimeOf(_due); _due++)
            {
                Connection next = connections[_due % connections.Length];
                if (!next.IsWaiting)
                {
                    Send(next, Stopwatch.GetTimestamp(), errors);
                }
            }

            if (now > deadline)
            {
                errors.Add($"{amount - _latencies.Count} messages without an echo for 10 s");
                break;
            }
        }

        _latencies.Sort();
        return [.. _latencies];
    }

    public void Dispose()
    {
        _connections.Dispose();
        _queue.Dispose();
        _timer.Dispose();
    }

    private long TimeOf(int message) => _begin + (s_interval * (message + 1));

    private void Send(Connection connection, long countsFrom, LoadErrors errors)
    {
        connection.IsWaiting = true;
        connection.SentAt = countsFrom;
        connection.Next += _byDescriptor.Count;
        fixed (byte* request = Payload.Request)
        {
            if (Libc.Send(connection.Descriptor, request, Payload.MessageBytes) != Payload.MessageBytes)
            {
                errors.Add($"send: {Marshal.GetLastPInvokeErrorMessage()}");
            }
        }
    }

    private void Receive(Connection connection, LoadErrors errors)
    {
        byte* buffer = stackalloc byte[Payload.MessageBytes];
        int have = connection.Received;
        nint received = Libc.Receive(connection.Descriptor, buffer, (nuint)(Payload.MessageBytes - have), Libc.DontWait);
        if (received <= 0)
        {
            errors.Add(received == 0 ? "closed in the middle" : $"receive: {Marshal.GetLastPInvokeErrorMessage()}");
            return;
        }

        if (!new ReadOnlySpan<byte>(buffer, (int)received).SequenceEqual(Payload.Request.AsSpan(have, (int)received)))
        {
            errors.Add("wrong bytes in an echo");
        }

        connection.Received = (have + (int)received) % Payload.MessageBytes;
        if (connection.Received > 0)
        {
            return;
        }

        _latencies.Add(Stopwatch.GetElapsedTime(connection.SentAt).TotalMicroseconds);
        connection.IsWaiting = false;
        if (connection.Next < _due)
        {
            Send(connection, TimeOf(connection.Next), errors);
        }
    }

    /// <param name="descriptor">Its socket.</param>
    /// <param name="first">Number of the first message that goes over it; the others follow in turns.</param>
    private sealed class Connection(int descriptor, int first)
    {
        public int Descriptor => descriptor;

        /// <summary>Number of the message it sends next.</summary>
        public int Next { get; set; } = first;

        public bool IsWaiting { get; set; }

        public long SentAt { get; set; }

        /// <summary>Bytes of the echo that have come.</summary>
        public int Received { get; set; }
    }
}
