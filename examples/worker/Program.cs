using WorkerApp;

// usage: worker [check] [--Worker:Name=NAME]...
var builder = Host.CreateApplicationBuilder(args);
var section = builder.Configuration.GetSection("Worker");

if (args is ["check", ..])
{
    return await Status.CheckAsync(section.Get<WorkerOptions>() ?? new WorkerOptions());
}

builder.Services.Configure<WorkerOptions>(section);
builder.Services.AddSingleton<Counter>();
builder.Services.AddHostedService<Ticker>();
builder.Services.AddHostedService<Status>();

// The host stops on SIGTERM and SIGINT, and waits for both services.
await builder.Build().RunAsync();
return 0;
