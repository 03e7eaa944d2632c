# Each command starts from nothing. As root on Debian, it installs what is missing (see hack/lab). Without root, demo and
# test use the Docker engine that is there, and install nothing (see hack/machine).

.DEFAULT_GOAL := help
.PHONY: help demo check test place times bench repro soak packages-soak lint down up env update race go site

help: ## this list
	@awk -F ': *[^#]*## ' '/^[a-z-]+:.*## / { gsub(/[$$][$$]/, "$$"); printf "make %-14s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: go ## the main job on a real example, with your Docker engine; without one, in the lab
	go -C hack run ./cmd/demo

# A tool and not a program to run: Go keeps the results of tests only as long as what runs them has the same path.
SUITE := go -C hack tool suite

check: go lint race ## before every change: all that needs no lab, in two minutes at most
	$(SUITE) -short check

test: place lint race ## everything, in the lab; without root, all that your Docker engine can run
	$(SUITE) $(ARGS) all

place: go # where the tests run, or what is missing for them
	@$(SUITE) place

times: ## where the minutes of the last make test went, as a table for docs/testing.md
	$(SUITE) times

race: # what the race detector needs; without it, the tests say so, and run without the detector
	@command -v gcc >/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || \
		{ apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev; }

go:
	@command -v go >/dev/null || { echo "There is no go on PATH; install Go 1.26 or newer: https://go.dev/dl/" >&2; exit 1; }

bench: ## side by side with Dockerfiles and the SDK, for hours; a part: make bench ARGS='-rounds 1 -case aspnetapp'
	go -C hack run ./cmd/bench $(ARGS)
# A path is meant from here, not from hack.
bench: export BENCH_JSON := $(abspath $(BENCH_JSON))

repro: ## the same bits, however they are built; a part: make repro ARGS='-example dotnetapp'
	go -C hack run ./cmd/repro $(ARGS)

# Without HOURS, it compares repositories. With HOURS, it tries faults, and specs made at random. The two have nothing
# in common but the time.
N = 1
soak: ## repositories made at random, against dotnet publish: make soak N=100; builds that meet faults: make soak HOURS=2
	go -C hack run ./cmd/lab up
ifdef HOURS
	go -C hack run ./cmd/faults -hours $(HOURS) $(ARGS)
else
	go -C hack run ./cmd/differential -n $(N) -each 3 $(ARGS)
endif

packages-soak: ## much used packages of Debian, each held against apt-get install
	go -C hack run ./cmd/lab up
	go -C hack test -count 1 -timeout 12h ./e2e -run 'TestPackagesAsInstalled$$' -packages testdata/packages/popular.txt

GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

lint: ## what is quick to check
	go run $(GOLANGCI_LINT) run ./...
	cd hack && go run $(GOLANGCI_LINT) run ./...

site: site/node_modules/.package-lock.json ## the docs as a web site, in dist/site
	cd site && npm run build

site/node_modules/.package-lock.json: site/package-lock.json
	@command -v npm >/dev/null || { apt-get update && apt-get install -y --no-install-recommends npm; }
	cd site && npm ci --ignore-scripts --no-audit --no-fund

up: ## the lab alone; `eval "$$(make -s env)"` points docker buildx at it
	go -C hack run ./cmd/lab up

env: ## what points docker buildx at the lab, for the shell
	@go -C hack run ./cmd/lab env

down: ## ends what demo, test and up left running
	go -C hack run ./cmd/lab down

update: ## golden files, the JSON schema, and the parts of the docs that are made from the code
	go test ./llb ./llb/dotnet ./frontend/call ./frontend/dockerfile ./frontend/request ./frontend/report -update
	go test ./frontend/spec -run 'TestSchema|TestPage' -update
	go -C hack test ./bench -update
