using BenchmarkDotNet.Attributes;
using KestrelStream.Preread;
using KestrelStream.TestKit;

namespace KestrelStream.Benchmarks;

/// <summary>Parsing a hello: as browsers send it, whole and split over records.</summary>
[MemoryDiagnoser]
public class ClientHelloBenchmark
{
    private readonly byte[] _browser = ClientHelloBuilder.Browser("app1.example.com").Build();
    private readonly byte[] _split = ClientHelloBuilder.Frame(ClientHelloBuilder.Browser("app1.example.com").BuildMessage(), 100, 200, 300);

    [Benchmark(Baseline = true)]
    public int Browser() => Parse(_browser);

    [Benchmark]
    public int FourRecords() => Parse(_split);

    private static int Parse(byte[] hello)
    {
        var parser = new ClientHelloParser(32768);
        parser.Advance(hello);
        var length = parser.GetHello(hello).ServerName!.Length;
        parser.Dispose();
        return length;
    }
}
