# syntax=docker/dockerfile:1
# Written by crosshull (docker buildx build --call=dockerfile). It builds the apps of crosshull.yaml.

FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:10.0@sha256:cb99aa9fd6d76fdf2ab4ea346ff8b637322c8460fb16bb10d98cf3cdf1a481d8 AS build
WORKDIR /source

FROM build AS test
COPY --link --exclude=**/bin --exclude=**/obj . .
RUN dotnet test tests/unit/unit.csproj --logger trx --results-directory /results

FROM example.com/base:1@sha256:efb6250f831d09728f737c4ae5b0e210c404ef502b58a7d950f62867972c8cb6 AS image
COPY --link out /app
# Nothing has this name: the image only waits for the tests.
COPY --link --from=test /results/nothing* /
LABEL org.opencontainers.image.base.name="example.com/base:1"
