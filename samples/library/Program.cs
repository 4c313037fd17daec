using KestrelStream.Management;

var builder = WebApplication.CreateBuilder(args);

// The proxy starts and drains with the app and follows changes of appsettings.json.
builder.Services.AddStreamProxy()
    .LoadFromConfig(builder.Configuration.GetSection("StreamProxy"));

var app = builder.Build();

// The app's own pages, on the app's own URLs.
app.MapGet("/", (IStreamProxy proxy) =>
{
    var listeners = proxy.BoundAddresses.Select(listener => $"{listener.Key} on {string.Join(", ", listener.Value)}");
    return $"A page of the app. The proxy listens: {string.Join("; ", listeners)}\n";
});

// Health, metrics and the JSON API of the proxy, beside them.
app.MapStreamProxyAdmin();

app.Run();
