# syntax=docker/dockerfile:1
# Written by crosshull (docker buildx build --call=dockerfile). It builds the apps of crosshull.yaml.
# It restores and compiles on the platform of the builder, whatever the target, so no step is emulated.
# What crosshull does, but not this file: layers by kind of file, libraries compiled apart, static assets
# compressed once, assets of other systems left out, labels with the digest of the base, and keeping these
# lists up to date.
# It takes the build arguments VERSION.
ARG VERSION="1.0"
# The same for commands, where MSBuild would take a variable for the property of its name.
ARG BUILD_ARG_VERSION="${VERSION}"

# What it makes and changes are sources for all steps below.
FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:10.0@sha256:cb99aa9fd6d76fdf2ab4ea346ff8b637322c8460fb16bb10d98cf3cdf1a481d8 AS before
COPY --from=docker.io/library/node:22@sha256:281a10c019b1128790759ddb0165cb537a522a02827ee49f6170c50cb814fc1f \
    /usr/local /usr/local
COPY --from=docker.io/library/node:22@sha256:281a10c019b1128790759ddb0165cb537a522a02827ee49f6170c50cb814fc1f \
    ["/opt/a b", "/opt/a b"]
ENV PATH="/usr/local/node/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
WORKDIR /source
COPY --link --parents [ \
    ".config/dotnet-tools.json", \
    "\"[nN][uU][gG][eE][tT].[cC][oO][nN][fF][iI][gG]\"", \
    "./"]
RUN dotnet tool restore
COPY --link --parents [ \
    "web/package.json", \
    "\"web/a [\\\\[]1].json\"", \
    "./"]
RUN --mount=type=cache,id=crosshull-npm,target=/root/.npm \
    npm ci --prefix web
COPY --link --exclude=**/bin --exclude=**/obj \
    --exclude=web/package.json \
    --exclude=web/a\ \\[1\\].json . .
RUN --network=none \
    --mount=type=secret,id=npm-token,env=TOKEN,required=true \
    --mount=type=ssh,id=default,required=true \
    npm run build
ARG BUILD_ARG_VERSION
RUN <<"EOF2"
export VERSION="${BUILD_ARG_VERSION}"
set -e
cat <<EOF > app/version.txt
${VERSION}
EOF
EOF2

FROM before AS build
RUN dotnet restore app/app.csproj -p:Configuration=Release -p:UseAppHost=false \
    -p:EnableAppHostPackDownload=false
# Once for all platforms: nothing here depends on the target.
RUN dotnet publish app/app.csproj --no-restore -o /app -p:Configuration=Release -p:UseAppHost=false \
    -p:EnableAppHostPackDownload=false

FROM build AS after
COPY --from=docker.io/library/node:22@sha256:281a10c019b1128790759ddb0165cb537a522a02827ee49f6170c50cb814fc1f \
    /usr/local /usr/local
COPY --from=docker.io/library/node:22@sha256:281a10c019b1128790759ddb0165cb537a522a02827ee49f6170c50cb814fc1f \
    ["/opt/a b", "/opt/a b"]
ENV PATH="/usr/local/node/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
WORKDIR /source/app
RUN dotnet tool restore
ENV PUBLISH_DIR=/app
ARG TARGETOS
RUN echo "$TARGETOS" > "$PUBLISH_DIR/os.txt"
ARG TARGETARCH
RUN <<"EOF"
case "$TARGETARCH" in
amd64) rid=linux-x64;;
arm64) rid=linux-arm64;;
arm) rid=linux-arm;;
*) echo "not for $TARGETARCH"; exit 1;;
esac;
export RID=$rid;
dotnet ef migrations bundle -r "$RID" -o "$PUBLISH_DIR/efbundle"
EOF

FROM mcr.microsoft.com/dotnet/runtime:10.0@sha256:e123316a5f85cdf589e0ea346f03f5ffffd828208608e521258ab2f6e343589c AS image
WORKDIR /app
COPY --link --from=after /app /app/
USER 1654
ENTRYPOINT ["dotnet", "/app/app.dll"]
