// .NET Aspire: the app is built by its spec, for this machine while developing and for all platforms when it is published.
var builder = DistributedApplication.CreateBuilder(args);

builder.AddDockerfile("web", "../aspnetapp", "crosshull.yaml")
    .WithHttpEndpoint(targetPort: 8080);

builder.Build().Run();
