# Each command starts from nothing: it installs what is missing (see hack/lab) and needs root for that.

.PHONY: demo test bench repro lint down up env update

demo: ## the main job on a real example, to an index in a registry and a running container
	go -C hack run ./cmd/demo

test: lint ## everything: unit and golden tests, then the real SDK, buildkitd, buildx and registry
	@command -v gcc >/dev/null || { apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev; } # for -race
	go -C hack run ./cmd/lab up # first, and without -race: the stand-ins are a gigabyte to compress
	go test -race ./...
	go -C hack test ./lab/images # compresses for twenty minutes under -race
	go -C hack test -race -timeout 75m $$(go -C hack list ./... | grep -v /lab/images$$)

bench: ## side by side with Dockerfiles and the SDK, for hours; a part: make bench ARGS='-rounds 1 -case aspnetapp'
	go -C hack run ./cmd/bench $(ARGS)
# A path is meant from here, not from hack.
bench: export BENCH_JSON := $(abspath $(BENCH_JSON))

repro: ## the same bits, however they are built; a part: make repro ARGS='-example dotnetapp'
	go -C hack run ./cmd/repro $(ARGS)

GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

lint: ## what is quick to check
	go run $(GOLANGCI_LINT) run ./...
	cd hack && go run $(GOLANGCI_LINT) run ./...

up: ## the lab alone; `eval "$$(make -s env)"` points docker buildx at it
	go -C hack run ./cmd/lab up

env:
	@go -C hack run ./cmd/lab env

down: ## ends what demo, test and up left running
	go -C hack run ./cmd/lab down

update: ## golden files, the JSON schema, and the table of options in the docs
	go test ./llb ./llb/dotnet ./frontend/request ./frontend/report -update
	go test ./frontend/spec -run TestSchema -update
	go -C hack test ./bench -update
