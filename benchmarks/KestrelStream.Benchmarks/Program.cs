using BenchmarkDotNet.Running;
using KestrelStream.Benchmarks;

// dotnet run -c Release --project benchmarks/KestrelStream.Benchmarks -- --filter '*'
// dotnet run -c Release --project benchmarks/KestrelStream.Benchmarks -- certificates SERVER [COUNT]
if (args is ["certificates", var server, ..])
{
    await CertificateFolderMeasurement.RunAsync(server, args.Length > 2 ? int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) : 10_000);
    return;
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
