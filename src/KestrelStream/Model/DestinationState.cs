using System.Net;
namespace KestrelStream.Model;
internal sealed class DestinationState { public string Id { get; init; } = ""; public EndPoint[] EndPoints { get; set; } = []; }
