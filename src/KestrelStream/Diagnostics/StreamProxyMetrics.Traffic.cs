using System.Diagnostics.Metrics;
using System.Globalization;
using KestrelStream.Transport;
using KestrelStream.Transport.EventLoop;

namespace KestrelStream.Diagnostics;

/// <content>What the cells say of accepting, first bytes, agreed TLS and loops.</content>
internal sealed partial class StreamProxyMetrics
{
    private const string OtherNames = "other";

    /// <summary>Every outcome of a listener that looks at first bytes; those of others are left out.</summary>
    private IEnumerable<Measurement<long>> ReadPrereads()
        => from listener in Listeners()
           from result in Enumerable.Range(0, PrereadResults.Count)
           where listener.Prereads(result) > 0
           select new Measurement<long>(listener.Prereads(result), Label("listener", listener.Id), Label("result", PrereadResults.NameOf(result)));

    private IEnumerable<Measurement<long>> ReadMalformedHellos()
        => from listener in Listeners()
           from error in Enumerable.Range(0, PrereadResults.ErrorCount)
           where listener.MalformedHellos(error) > 0
           select new Measurement<long>(listener.MalformedHellos(error), Label("listener", listener.Id), Label("error", PrereadResults.NameOfError(error)));

    private IEnumerable<Measurement<long>> ReadNegotiated()
        => from pair in _negotiated.OrderBy(pair => pair.Key.Version, StringComparer.Ordinal).ThenBy(pair => pair.Key.Cipher, StringComparer.Ordinal)
           select new Measurement<long>(
               Volatile.Read(ref pair.Value[0]),
               Label("version", pair.Key.Version),
               Label("cipher", pair.Key.Cipher),
               Label("resumed", pair.Key.IsResumed switch { true => "yes", false => "no", null => "unknown" }));

    private IEnumerable<Measurement<long>> ReadAcceptErrors()
        => from listener in _state?.Listeners ?? []
           from name in Enumerable.Range(0, AcceptErrors.Names.Count)
           where listener.AcceptErrors.CountOf(name) > 0
           select new Measurement<long>(listener.AcceptErrors.CountOf(name), Label("listener", listener.Id), Label("reason", AcceptErrors.Names[name]));

    /// <summary>A client that asks for the very name is one of the others.</summary>
    private IEnumerable<Measurement<long>> ReadNames()
    {
        if (_topNames?.Read() is not { } read)
        {
            yield break;
        }

        foreach (var (name, count) in read.Names.Where(pair => pair.Name != OtherNames))
        {
            yield return new Measurement<long>(count, Label("sni", name));
        }

        yield return new Measurement<long>(read.Other + read.Names.Where(pair => pair.Name == OtherNames).Sum(pair => pair.Count), Label("sni", OtherNames));
    }

    private IEnumerable<Measurement<long>> ReadHandshakesWaiting()
        => from reading in _handshakes?.Invoke() ?? []
           select new Measurement<long>(reading.Waiting, LoopLabel(reading.Loop));

    private IEnumerable<Measurement<long>> ReadHandshakeSteps()
        => from reading in _handshakes?.Invoke() ?? []
           from steps in new[] { (Thread: "loop", Count: reading.OwnSteps), (Thread: "helper", Count: reading.HelperSteps) }
           select new Measurement<long>(steps.Count, LoopLabel(reading.Loop), Label("thread", steps.Thread));

    private IEnumerable<Measurement<double>> ReadLoops(Func<LoopReading, TimeSpan?> value)
        => from loop in _loops?.Invoke() ?? []
           where value(loop) is not null
           select new Measurement<double>(value(loop)!.Value.TotalSeconds, LoopLabel(loop.Index));

    private static KeyValuePair<string, object?> LoopLabel(int loop) => Label("loop", loop.ToString(CultureInfo.InvariantCulture));
}
