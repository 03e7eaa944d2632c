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

# Files, made where commands can run.
FROM build AS folders
RUN mkdir -p /folders/0
RUN mkdir -p /links/1 && ln -s /data /links/1/data
ADD --checksum=sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a \
    https://example.com/tool.tar.gz /archives/3.tar
RUN mkdir -p /archives/3 && tar -xf /archives/3.tar --strip-components=1 --no-same-owner -C /archives/3
COPY /vendor/x:1.tar.gz /archives/8.tar
RUN mkdir -p /archives/8 && tar -xf /archives/8.tar --no-same-owner -C /archives/8
COPY vendor/y.tar /archives/9.tar
RUN mkdir -p /archives/9 && tar -xf /archives/9.tar --strip-components=1 --no-same-owner -C /archives/9
ADD --checksum=sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a \
    https://example.com/z.tar /archives/10.tar
RUN mkdir -p /archives/10 && tar -xf /archives/10.tar --no-same-owner -C /archives/10

# The app as files of the spec change it, where commands can run.
FROM build AS app
RUN rm -rf -- /app/*.pdb
RUN chmod -R 0755 -- /app/tools

FROM mcr.microsoft.com/dotnet/runtime:10.0@sha256:e123316a5f85cdf589e0ea346f03f5ffffd828208608e521258ab2f6e343589c AS image
WORKDIR /app
COPY --link --chown=1654:1654 --from=folders /folders/0 /data/
COPY --from=folders /links/1 /app/
COPY --link --exclude=b.xml config/app.json config/a.xml /etc/app/
COPY --chown=1654:1654 --from=folders /archives/3 /opt/tool/
ADD --checksum=sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a \
    --link --chmod=0644 https://example.com/ca.pem /etc/ca.pem
ADD --link "https://example.com/tools.git#v1:bin" /opt/bin/
COPY --link --from=busybox:1.37 /bin/busybox /usr/local/bin/busybox
ADD --link --exclude=*.md --exclude=a\ b https://example.com/tools.git /opt/tools/
COPY --link --exclude=docs --from=folders /archives/8 /opt/x/
COPY --link --exclude=docs --from=folders /archives/9 /opt/y/
COPY --link --chmod=0700 --from=folders /archives/10 /opt/z/
ADD --unpack=true --link --chown=0:0 vendor/y.tar /opt/as-it-is/
# This runs on the platform of the image, and so may need an emulator. Crosshull needs none.
RUN rm -rf -- /usr/share/doc
COPY --link --from=app /app /app/
COPY --chown=1654:1654 --chmod=0755 --parents --from=app /app/./tools /app/
USER 1654
ENTRYPOINT ["dotnet", "/app/app.dll"]
