// .NET Aspire: the app is built by its spec. The second path is relative to the first.
var builder = DistributedApplication.CreateBuilder(args);

builder.AddDockerfile("web", "../aspnetapp", "crosshull.yaml")
    .WithHttpEndpoint(targetPort: 8080);

builder.Build().Run();
