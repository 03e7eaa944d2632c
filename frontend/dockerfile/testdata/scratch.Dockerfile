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
RUN dotnet restore app/app.csproj -p:Configuration=Release -p:SelfContained=true -p:PublishAot=false \
    -p:PublishSingleFile=false -p:PublishTrimmed=false -p:PublishReadyToRun=false -p:UseAppHost=true \
    '-p:RuntimeIdentifiers="linux-musl-arm;linux-musl-arm64;linux-musl-x64"'
COPY --link --exclude=**/bin --exclude=**/obj --parents \
    .editorconfi[g] \
    .globalconfi[g] \
    app \
    ./
# From here on for each platform.
ARG TARGETARCH
RUN case "$TARGETARCH" in \
    amd64) rid=linux-musl-x64;; \
    arm64) rid=linux-musl-arm64;; \
    arm) rid=linux-musl-arm;; \
    *) echo "not for $TARGETARCH"; exit 1;; \
    esac; \
    dotnet publish app/app.csproj --no-restore -r $rid -o /app -p:Configuration=Release -p:SelfContained=true \
    -p:PublishAot=false -p:PublishSingleFile=false -p:PublishTrimmed=false -p:PublishReadyToRun=false \
    -p:UseAppHost=true

FROM scratch AS image
WORKDIR /app
COPY --link --from=build /app /app/
ENTRYPOINT ["/app/app"]
