using BenchmarkDotNet.Running;

// dotnet run -c Release --project benchmarks/KestrelStream.Benchmarks -- --filter '*'
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
