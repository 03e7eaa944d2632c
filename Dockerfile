# The frontend image. To build and use one's own, see the README.

# The programs that steps run. Builds with an older SDK than this one compile them anew.
FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:10.0 AS programs
COPY llb/dotnet/compile.sh llb/dotnet/evaluator /evaluator/
COPY llb/dotnet/compile.sh llb/apt/installer /installer/
RUN mkdir /programs && for name in evaluator installer; do sh /$name/compile.sh /programs/$name.dll /$name || exit; done && \
    echo "${DOTNET_SDK_VERSION:?}" >/programs/sdk-version

FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY cmd cmd
COPY frontend frontend
COPY llb llb
ARG TARGETOS TARGETARCH TARGETVARIANT
# grpcnotrace leaves out a web page for traces, and with its templates a quarter of the binary. GOGC and -dwarf=false are
# for the compiler: less collecting, and no debug information that -w would drop, are a third of its time.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    GOGC=400 CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH GOARM=${TARGETVARIANT#v} \
    go build -trimpath -tags grpcnotrace -gcflags=all=-dwarf=false -ldflags="-s -w" -o /image/bin/crosshull-frontend ./cmd/crosshull-frontend
COPY --from=programs /programs /image/programs

FROM scratch
LABEL moby.buildkit.frontend.network.none="true"
LABEL moby.buildkit.frontend.caps="moby.buildkit.frontend.inputs,moby.buildkit.frontend.contexts,moby.buildkit.frontend.gitquerystring,moby.buildkit.frontend.subrequests"
COPY --link --from=build /image /
ENTRYPOINT ["/bin/crosshull-frontend"]
