# syntax=docker/dockerfile:1
# Written by crosshull (docker buildx build --call=dockerfile). It builds the apps of crosshull.yaml.
# It restores and compiles on the platform of the builder, whatever the target, so no step is emulated.
# What crosshull does, but not this file: layers by kind of file, libraries compiled apart, static assets
# compressed once, assets of other systems left out, labels with the digest of the base, and keeping these
# lists up to date.

# AOT links with the tools of this image, for each target.
FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:10.0-aot@sha256:234a8db40d963ff89b476f223172bd2f7b6f0a377098070104d66f93a9dacc9b AS build
WORKDIR /source
# What a restore can depend on. A project that is added, or a file that one imports, has to be added here.
COPY --link --parents \
    app/app.csproj \
    ./
RUN dotnet restore app/app.csproj -p:Configuration=Release \
    '-p:RuntimeIdentifiers="linux-arm;linux-arm64;linux-x64"'
COPY --link --exclude=**/bin --exclude=**/obj --parents \
    .editorconfi[g] \
    .globalconfi[g] \
    app \
    ./
# From here on for each platform.
ARG TARGETARCH
ARG BUILDARCH
# Another architecture is linked by LLVM's tools.
RUN case "$TARGETARCH" in \
    amd64) rid=linux-x64;; \
    arm64) rid=linux-arm64;; \
    arm) rid=linux-arm;; \
    *) echo "not for $TARGETARCH"; exit 1;; \
    esac; \
    if [ "$TARGETARCH" != "$BUILDARCH" ]; then cross="-p:LinkerFlavor=lld -p:ObjCopyName=llvm-objcopy"; fi; \
    dotnet publish app/app.csproj --no-restore -r $rid -o /app -p:Configuration=Release \
    $cross && rm -f /app/*.dbg

FROM mcr.microsoft.com/dotnet/runtime:10.0@sha256:e123316a5f85cdf589e0ea346f03f5ffffd828208608e521258ab2f6e343589c AS image
WORKDIR /app
COPY --link --from=build /app /app/
USER 1654
ENTRYPOINT ["/app/app"]
