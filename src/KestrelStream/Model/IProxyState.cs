namespace KestrelStream.Model;
internal interface IProxyState { ProxySnapshot? Current { get; } }
