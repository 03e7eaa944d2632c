# The frontend image. To build and use one's own, see the README.
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
    go build -trimpath -tags grpcnotrace -gcflags=all=-dwarf=false -ldflags="-s -w" -o /crosshull-frontend ./cmd/crosshull-frontend

FROM scratch
LABEL moby.buildkit.frontend.network.none="true"
LABEL moby.buildkit.frontend.caps="moby.buildkit.frontend.inputs,moby.buildkit.frontend.contexts,moby.buildkit.frontend.gitquerystring,moby.buildkit.frontend.subrequests"
COPY --link --from=build /crosshull-frontend /bin/crosshull-frontend
ENTRYPOINT ["/bin/crosshull-frontend"]
