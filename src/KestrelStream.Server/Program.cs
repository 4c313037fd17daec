using System.CommandLine;
using KestrelStream.Server.Commands;
using KestrelStream.Server.Hosting;

SocketCompletions.RunInline();

// kestrelstream [run] [--config FILE] | check [--config FILE] | --version | --help
var config = new Option<FileInfo>("--config", "-c")
{
    Description = "The configuration file",
    HelpName = "FILE",
    Recursive = true,
    DefaultValueFactory = _ => new FileInfo("appsettings.json"),
};

var run = new Command("run", "Serve until SIGTERM or SIGINT, then drain. SIGHUP or a changed file reloads. (Default command)");
run.SetAction((arguments, _) => RunCommand.RunAsync(arguments.GetValue(config)!));

var check = new Command("check", "Check everything that start would check; nothing that runs is touched");
check.SetAction((arguments, _) => CheckCommand.RunAsync(arguments.GetValue(config)!));

var root = new RootCommand("KestrelStream: TLS passthrough by SNI, TLS termination, upstream pools, on Kestrel") { config, run, check };
root.SetAction((arguments, _) => RunCommand.RunAsync(arguments.GetValue(config)!));

// The host itself listens to SIGTERM and SIGINT and drains; the command line must not cut it short. A defect ends the process as a crash does,
// not with exit code 1, which says that the configuration has mistakes.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
