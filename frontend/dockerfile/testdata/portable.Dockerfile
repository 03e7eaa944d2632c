# syntax=docker/dockerfile:1
# Written by crosshull (docker buildx build --call=dockerfile). It builds the apps of crosshull.yaml.
# It restores and compiles on the platform of the builder, whatever the target, so no step is emulated.
# What crosshull does, but not this file: layers by kind of file, libraries compiled apart, static assets
# compressed once, assets of other systems left out, labels with the digest of the base, and keeping these
# lists up to date.

FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:10.0@sha256:cb99aa9fd6d76fdf2ab4ea346ff8b637322c8460fb16bb10d98cf3cdf1a481d8 AS build
WORKDIR /source
# What a restore can depend on. A project that is added, or a file that one imports, has to be added here.
COPY --link --parents \
    app/app.csproj \
    ./
RUN dotnet restore app/app.csproj -p:Configuration=Release -p:UseAppHost=false \
    -p:EnableAppHostPackDownload=false
COPY --link --exclude=**/bin --exclude=**/obj --parents \
    .editorconfi[g] \
    .globalconfi[g] \
    app \
    ./
# Once for all platforms: nothing here depends on the target.
RUN dotnet publish app/app.csproj --no-restore -o /app -p:Configuration=Release -p:UseAppHost=false \
    -p:EnableAppHostPackDownload=false

FROM mcr.microsoft.com/dotnet/runtime:10.0@sha256:e123316a5f85cdf589e0ea346f03f5ffffd828208608e521258ab2f6e343589c AS image
WORKDIR /app
COPY --link --from=build /app /app/
USER 1654
ENTRYPOINT ["dotnet", "/app/app.dll"]
