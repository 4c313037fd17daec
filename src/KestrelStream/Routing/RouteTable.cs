#pragma warning disable CA1822
using KestrelStream.Model;
using KestrelStream.Preread;
namespace KestrelStream.Routing;
internal sealed class RouteTable(RouteModel? only)
{
    public bool NeedsPreread => only is null;
    public bool HasServerFirst => false;
    public RouteModel? Only => only;
    public RouteModel? ForHello(in ClientHello hello) => hello.ServerName is null ? only : null;
    public RouteModel? ForNotTls() => only;
    public RouteModel? ForSilence() => only;
}
