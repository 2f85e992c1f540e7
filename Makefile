# make run    builds Till and starts the demo       make test   lints and runs every test
# make build  leaves the release binary at dist/till make lint   formatting, clippy, documentation
# make soak   real faults, a hundred rounds each     make bench  figures and ratios, see docs/BENCHMARKS.md
# Both set up what is missing first; caches live in ~/.cache/till.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CACHE := $(HOME)/.cache/till
export CARGO_TARGET_DIR ?= $(CACHE)/target
export PATH := $(CACHE)/tools/bin:$(HOME)/.cargo/bin:$(PATH)

.PHONY: help run build site test lint rust-tests sdk-tests browser-tests simulate-tests stress-tests soak bench stress format build-tools \
	test-tools clean

help:
	@sed -n '1,4s/^# //p' Makefile

run: build
	exec dist/till demo

build: site
	cargo build --release --locked -p server
	install -D $(CARGO_TARGET_DIR)/release/till dist/till
	@echo "dist/till is ready"

# The pages' WebAssembly, JavaScript and CSS, which the server is compiled with.
site: build-tools
	end2end/build/site.sh dist/site

test: lint rust-tests build sdk-tests browser-tests simulate-tests stress-tests
	@echo "every test passed"

lint: site
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked -p frontend --target wasm32-unknown-unknown -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --quiet

# On SQLite and on PostgreSQL.
rust-tests: site test-tools
	.ci/with-postgres cargo test --locked

# The official SDKs judge the sandbox.
sdk-tests: build test-tools
	.ci/with-sandbox dist/till end2end/sdk/run.sh

browser-tests: build test-tools
	node end2end/build/budget.mjs dist/site
	TILL_BIN=$(CURDIR)/dist/till npm --prefix end2end test

# The tool is no part of the product. Together with the server its dependencies are compiled but once.
stress: build
	cargo build --release --locked -p server -p stress

# Random lives, bounded: the rules alone, and the real engine. Then each must find the bugs planted for it.
simulate-tests: build
	dist/till simulate --layer core --seeds 1000000 --budget 20
	dist/till simulate --layer engine --seeds 3000 --budget 60
	cargo test --locked --release -p simulate --features mutants --test mutants

# kill -9 under load, a few times.
stress-tests: stress test-tools
	.ci/with-postgres $(CARGO_TARGET_DIR)/release/stress faults --till dist/till --kinds kill --rounds 3 --budget-seconds 60

# Every real fault on both databases, PostgreSQL with fsync. SEED=… repeats a run.
soak: stress test-tools
	dist/till simulate --layer core --seeds 100000000 --budget 900 --first-seed $(or $(SEED),1)
	dist/till simulate --layer engine --seeds 1000000 --budget 1800 --first-seed $(or $(SEED),1)
	$(CARGO_TARGET_DIR)/release/stress faults --till dist/till --rounds 100 --seed $(or $(SEED),1) --drain-seconds 300

bench: stress test-tools
	$(CARGO_TARGET_DIR)/release/stress bench --till dist/till --json dist/bench.json
	$(CARGO_TARGET_DIR)/release/stress bench --till dist/till --grown --json dist/bench-grown.json

format:
	cargo fmt

build-tools:
	@.ci/setup build

test-tools:
	@.ci/setup test

clean:
	rm -rf dist data $(CACHE)
