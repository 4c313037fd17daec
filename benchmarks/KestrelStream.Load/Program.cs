using System.Globalization;
using System.Runtime.InteropServices;
using KestrelStream.Load;
using KestrelStream.Load.Backend;
using KestrelStream.Load.Reporting;

const int Success = 0;
const int Failed = 1;
const int WrongUsage = 2;
const int SelfCheckFailed = 3;

if (args is ["backend", var networks])
{
    return BackendProgram.Run(int.Parse(networks, CultureInfo.InvariantCulture));
}

if (args.Contains("--help"))
{
    Console.WriteLine(LoadOptions.Usage);
    return Success;
}

if (LoadOptions.TryParse(args, out string error) is not { } options)
{
    Console.Error.WriteLine(error);
    Console.Error.WriteLine(LoadOptions.Usage);
    return WrongUsage;
}

// A signal ends the run between two measurements, so that everything started is stopped.
using var cancellation = new CancellationTokenSource();
void Cancel(PosixSignalContext signal)
{
    signal.Cancel = true;
    cancellation.Cancel();
}

using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);

try
{
    using var run = new BenchmarkRun(options, cancellation.Token);
    Report report = run.Run();
    Console.Write(MarkdownReport.Write(report));
    if (options.Json is { } path)
    {
        JsonReport.Write(report, path);
    }

    return report.Faults().Any() ? Failed : report.FailedSelfChecks().Any() ? SelfCheckFailed : Success;
}
catch (BenchmarkException failure)
{
    Console.Error.WriteLine(failure.Message);
    return Failed;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("interrupted");
    return Failed;
}
