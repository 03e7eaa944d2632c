# syntax=docker/dockerfile:1
# Written by crosshull (docker buildx build --call=dockerfile). It builds the apps of crosshull.yaml.
# It restores and compiles on the platform of the builder, whatever the target, so only apt-get is emulated.
# What crosshull does, but not this file: layers by kind of file, libraries compiled apart, static assets
# compressed once, assets of other systems left out, labels with the digest of the base, and keeping these
# lists up to date.

# What it makes and changes are sources for all steps below.
FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:10.0@sha256:cb99aa9fd6d76fdf2ab4ea346ff8b637322c8460fb16bb10d98cf3cdf1a481d8 AS before
WORKDIR /source
COPY --link --parents \
    Makefile \
    ./
RUN make
COPY --link --exclude=**/bin --exclude=**/obj \
    --exclude=Makefile . .

FROM before AS build
RUN dotnet restore app/app.csproj -p:Configuration=Release -p:UseAppHost=false \
    -p:EnableAppHostPackDownload=false
RUN dotnet restore tool/tool.csproj -p:Configuration=Release -p:UseAppHost=false \
    -p:EnableAppHostPackDownload=false
# Once for all platforms: nothing here depends on the target.
RUN dotnet publish app/app.csproj --no-restore -o /app -p:Configuration=Release -p:UseAppHost=false \
    -p:EnableAppHostPackDownload=false
# Once for all platforms: nothing here depends on the target.
RUN dotnet publish tool/tool.csproj --no-restore -o /also/tool -p:Configuration=Release -p:UseAppHost=false \
    -p:EnableAppHostPackDownload=false

# Files, made where commands can run.
FROM build AS folders
RUN mkdir -p /folders/0/b
COPY --from=before /source/a.tar /archives/3.tar
RUN mkdir -p /archives/3 && tar -xf /archives/3.tar --strip-components=1 --no-same-owner -C /archives/3
RUN mkdir -p /folders/parent

# The app as files of the spec change it, where commands can run.
FROM build AS app
RUN rm -rf -- /also/tool/*.pdb /also/tool/*.xml
RUN chmod -R 0600 -- /also/tool/tool.dll

FROM mcr.microsoft.com/dotnet/runtime:10.0@sha256:e123316a5f85cdf589e0ea346f03f5ffffd828208608e521258ab2f6e343589c AS image
# This runs in the image, so it needs an emulator for other platforms than the builder's. Crosshull needs none.
RUN apt-get update && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-remove --no-install-recommends -- curl \
    && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/ldconfig/* /var/log/apt/* /var/log/*.log
WORKDIR /app
COPY --from=folders /folders/parent /srv/a/
COPY --chown=1654:1654 --chmod=1777 --from=folders /folders/0 /srv/a/
COPY --link --from=before /source/gen/out.txt /etc/gen.txt
COPY --link --exclude=out.txt --from=before /source/gen/more.txt /etc/gen/
COPY --link --from=folders /archives/3 /opt/a/
# This runs on the platform of the image, and so may need an emulator. Crosshull needs none.
RUN rm -rf -- /too?/*.xml
# This runs on the platform of the image, and so may need an emulator. Crosshull needs none.
RUN chmod -R 4755 -- /usr/bin/curl
COPY --link --from=app /also/tool /tool/
COPY --link --from=app /app /app/
COPY --chown=5:60 --chmod=0600 --parents --from=app /also/tool/./tool.dll /tool/
USER 1654
ENTRYPOINT ["dotnet", "/app/app.dll"]
