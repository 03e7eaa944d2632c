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
RUN mkdir -p /folders/0/data
RUN mkdir -p /folders/home

FROM mcr.microsoft.com/dotnet/runtime:10.0@sha256:e123316a5f85cdf589e0ea346f03f5ffffd828208608e521258ab2f6e343589c AS image
# The users and groups of the base above, and those of the spec: another base may have others.
COPY --chown=0:0 --chmod=0644 <<"EOF" /etc/group
root:x:0:
app:x:1654:shop
media:!:10100:
web:!:33:
EOF
COPY --chown=0:0 --chmod=0644 <<"EOF" /etc/passwd
root:x:0:0:root:/root:/bin/sh
app:x:1654:1654::/home/app:/bin/sh
shop:x:10001:10100::/home/shop:/bin/sh
web:x:33:33::/srv/web:/bin/sh
EOF
COPY --chown=0:0 --chmod=0640 <<"EOF2" /etc/shadow
root:*:1::::::
app:!EOF:1::::::
shop:!::0:99999:7:::
web:!:::::::
EOF2
COPY --chown=0:0 --chmod=0755 --from=folders /folders/home /home/
COPY --chown=10001:10100 --chmod=0755 --from=folders /folders/home /home/shop/
COPY --chown=0:0 --chmod=0755 --from=folders /folders/home /srv/
COPY --chown=33:33 --chmod=0755 --from=folders /folders/home /srv/web/
WORKDIR /app
COPY --link --chown=10001:10100 --chmod=2770 --from=folders /folders/0 /
COPY --link --chown=33:1654 a.txt /a
COPY --link a.txt /b
COPY --link --from=build /app /app/
USER shop
ENTRYPOINT ["dotnet", "/app/app.dll"]
