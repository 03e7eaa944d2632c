# Each command starts from nothing: it installs what is missing (see hack/lab) and needs root for that.

.DEFAULT_GOAL := help
.PHONY: help demo check test times bench repro soak lint down up env update race site

help: ## this list
	@awk -F ': *[^#]*## ' '/^[a-z]+:.*## / { gsub(/[$$][$$]/, "$$"); printf "make %-8s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## the main job on a real example, with your Docker engine; without one, in the lab
	go -C hack run ./cmd/demo

# A tool and not a program to run: Go keeps the results of tests only as long as what runs them has the same path.
SUITE := go -C hack tool suite

check: lint race ## before every change: all that needs no lab, in two minutes at most
	$(SUITE) -short check

test: lint race ## everything: what check does, then the real SDK, buildkitd, buildx and registry
	go -C hack run ./cmd/lab up
	$(SUITE) all

times: ## where the minutes of the last make test went, as a table for docs/testing.md
	$(SUITE) times

race: # what the race detector needs
	@command -v gcc >/dev/null || { apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev; }

bench: ## side by side with Dockerfiles and the SDK, for hours; a part: make bench ARGS='-rounds 1 -case aspnetapp'
	go -C hack run ./cmd/bench $(ARGS)
# A path is meant from here, not from hack.
bench: export BENCH_JSON := $(abspath $(BENCH_JSON))

repro: ## the same bits, however they are built; a part: make repro ARGS='-example dotnetapp'
	go -C hack run ./cmd/repro $(ARGS)

N = 1
soak: ## what is published of repositories made at random, held against dotnet publish: make soak N=100
	go -C hack run ./cmd/lab up
	go -C hack run ./cmd/differential -n $(N) -each 3 $(ARGS)

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
