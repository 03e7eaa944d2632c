# syntax=docker/dockerfile:1
# Written by crosshull (docker buildx build --call=dockerfile). It builds the apps of crosshull.yaml.
# It restores and compiles on the platform of the builder, whatever the target, so no step is emulated.
# What crosshull does, but not this file: layers by kind of file, libraries compiled apart, static assets
# compressed once, assets of other systems left out, labels with the digest of the base, and keeping these
# lists up to date.

FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:10.0@sha256:cb99aa9fd6d76fdf2ab4ea346ff8b637322c8460fb16bb10d98cf3cdf1a481d8 AS build
WORKDIR /source
# Feeds beside those of the repository. %NAME% is a variable that restore gets by a secret.
COPY --link <<"EOF" /nuget.config
<?xml version="1.0" encoding="UTF-8"?>
<configuration>
  <packageSources>
    <add key="company" value="https://nuget.example.com/index.json"></add>
  </packageSources>
  <packageSourceCredentials>
    <company>
      <add key="Username" value="me"></add>
      <add key="ClearTextPassword" value="%FEED_0%"></add>
    </company>
    <github>
      <add key="Username" value="any"></add>
      <add key="ClearTextPassword" value="%FEED_1%"></add>
    </github>
  </packageSourceCredentials>
</configuration>
EOF
# What a restore can depend on. A project that is added, or a file that one imports, has to be added here.
COPY --link --parents \
    app/app.csproj \
    ./
RUN --mount=type=secret,id=feed-url,env=FEED_URL,required=true \
    --mount=type=secret,id=feed-token,env=FEED_0,required=true \
    --mount=type=secret,id=github-token,env=FEED_1,required=true \
    --mount=type=bind,source=eng/company.pem,target=/run/ca.pem \
    SSL_CERT_FILE=/run/ca.pem dotnet restore app/app.csproj -p:RestoreLockedMode=true -p:Configuration=Release \
    -p:UseAppHost=false -p:EnableAppHostPackDownload=false
COPY --link --exclude=**/bin --exclude=**/obj --parents \
    .editorconfi[g] \
    .globalconfi[g] \
    app \
    ./
# Once for all platforms: nothing here depends on the target.
RUN --mount=type=secret,id=signing-key,env=SIGNING_KEY,required=true \
    --mount=type=ssh,id=default,required=true \
    dotnet publish app/app.csproj --no-restore -o /app -p:Configuration=Release -p:UseAppHost=false \
    -p:EnableAppHostPackDownload=false

FROM mcr.microsoft.com/dotnet/runtime:10.0@sha256:e123316a5f85cdf589e0ea346f03f5ffffd828208608e521258ab2f6e343589c AS image
WORKDIR /app
COPY --link --from=build /app /app/
USER 1654
ENTRYPOINT ["dotnet", "/app/app.dll"]
