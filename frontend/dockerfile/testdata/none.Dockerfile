# syntax=docker/dockerfile:1
# Written by crosshull (docker buildx build --call=dockerfile). It builds the apps of crosshull.yaml.

# Files, made where commands can run.
FROM --platform=$BUILDPLATFORM busybox AS folders
RUN mkdir -p /folders/1

FROM example.com/base:1@sha256:efb6250f831d09728f737c4ae5b0e210c404ef502b58a7d950f62867972c8cb6 AS image
WORKDIR /app
COPY --link out /app
COPY --link --chown=7:7 --from=folders /folders/1 /data/
LABEL org.opencontainers.image.base.name="example.com/base:1"
USER 7
ENTRYPOINT ["dotnet", "a.dll"]
