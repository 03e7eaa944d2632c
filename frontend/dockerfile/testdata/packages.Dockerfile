# syntax=docker/dockerfile:1
# Written by crosshull (docker buildx build --call=dockerfile). It builds the apps of crosshull.yaml.
# It restores and compiles on the platform of the builder, whatever the target, so only apt-get is emulated.
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

# Sources of packages, for the step that installs. The image does not get them.
FROM scratch AS package-sources
COPY <<"EOF" /none
EOF
COPY <<"EOF" /debian.sources
Types: deb
URIs: https://debian.example.com/
Suites: bookworm
Components: main
Signed-By: /etc/apt/keyrings/debian.gpg
EOF
COPY <<"EOF" /tools.list
deb [arch=amd64 signed-by=/etc/apt/keyrings/tools.asc] https://packages.example.com/debian stable main
EOF

FROM mcr.microsoft.com/dotnet/runtime:10.0@sha256:e123316a5f85cdf589e0ea346f03f5ffffd828208608e521258ab2f6e343589c AS image-amd64
# This runs in the image, so it needs an emulator for other platforms than the builder's. Crosshull needs none.
RUN --mount=type=bind,from=package-sources,source=/debian.sources,target=/etc/apt/sources.list.d/debian.sources \
    --mount=type=bind,from=package-sources,source=/none,target=/etc/apt/sources.list.d/debian.list \
    --mount=type=bind,source=eng/debian.gpg,target=/etc/apt/keyrings/debian.gpg \
    --mount=type=bind,from=package-sources,source=/tools.list,target=/etc/apt/sources.list.d/tools.list \
    --mount=type=bind,from=package-sources,source=/none,target=/etc/apt/sources.list.d/tools.sources \
    --mount=type=bind,source=eng/my\\\ tools.asc,target=/etc/apt/keyrings/tools.asc \
    apt-get update --snapshot 20261101T000000Z -o Acquire::Check-Valid-Until=false && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-remove --snapshot 20261101T000000Z -- \
    'curl=7.88.1-10+deb12u*' libfontconfig1 tzdata \
    && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/ldconfig/* /var/log/apt/* /var/log/*.log
WORKDIR /app
COPY --link --from=build /app /app/
USER 1654
ENTRYPOINT ["dotnet", "/app/app.dll"]

FROM mcr.microsoft.com/dotnet/runtime:10.0@sha256:e123316a5f85cdf589e0ea346f03f5ffffd828208608e521258ab2f6e343589c AS image-arm64
# This runs in the image, so it needs an emulator for other platforms than the builder's. Crosshull needs none.
RUN --mount=type=bind,from=package-sources,source=/debian.sources,target=/etc/apt/sources.list.d/debian.sources \
    --mount=type=bind,from=package-sources,source=/none,target=/etc/apt/sources.list.d/debian.list \
    --mount=type=bind,source=eng/debian.gpg,target=/etc/apt/keyrings/debian.gpg \
    --mount=type=bind,from=package-sources,source=/tools.list,target=/etc/apt/sources.list.d/tools.list \
    --mount=type=bind,from=package-sources,source=/none,target=/etc/apt/sources.list.d/tools.sources \
    --mount=type=bind,source=eng/my\\\ tools.asc,target=/etc/apt/keyrings/tools.asc \
    apt-get update --snapshot 20261101T000000Z -o Acquire::Check-Valid-Until=false && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-remove --snapshot 20261101T000000Z -- \
    'curl=7.88.1-10+deb12u*' libatomic1 libfontconfig1 tzdata \
    && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/ldconfig/* /var/log/apt/* /var/log/*.log
WORKDIR /app
COPY --link --from=build /app /app/
USER 1654
ENTRYPOINT ["dotnet", "/app/app.dll"]

FROM mcr.microsoft.com/dotnet/runtime:10.0@sha256:e123316a5f85cdf589e0ea346f03f5ffffd828208608e521258ab2f6e343589c AS image-armv7
# This runs in the image, so it needs an emulator for other platforms than the builder's. Crosshull needs none.
RUN --mount=type=bind,from=package-sources,source=/debian.sources,target=/etc/apt/sources.list.d/debian.sources \
    --mount=type=bind,from=package-sources,source=/none,target=/etc/apt/sources.list.d/debian.list \
    --mount=type=bind,source=eng/debian.gpg,target=/etc/apt/keyrings/debian.gpg \
    --mount=type=bind,from=package-sources,source=/tools.list,target=/etc/apt/sources.list.d/tools.list \
    --mount=type=bind,from=package-sources,source=/none,target=/etc/apt/sources.list.d/tools.sources \
    --mount=type=bind,source=eng/my\\\ tools.asc,target=/etc/apt/keyrings/tools.asc \
    apt-get update --snapshot 20261101T000000Z -o Acquire::Check-Valid-Until=false && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-remove --snapshot 20261101T000000Z -- \
    'curl=7.88.1-10+deb12u*' libfontconfig1 tzdata \
    && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/ldconfig/* /var/log/apt/* /var/log/*.log
WORKDIR /app
COPY --link --from=build /app /app/
USER 1654
ENTRYPOINT ["dotnet", "/app/app.dll"]

FROM image-${TARGETARCH}${TARGETVARIANT} AS image
