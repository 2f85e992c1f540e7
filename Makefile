# make run    builds Till and starts the demo       make test   lints and runs every test
# make build  leaves the release binary at dist/till make lint   formatting, clippy, documentation
# Both set up what is missing first; caches live in ~/.cache/till.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CACHE := $(HOME)/.cache/till
export CARGO_TARGET_DIR ?= $(CACHE)/target
export PATH := $(CACHE)/tools/bin:$(HOME)/.cargo/bin:$(PATH)

.PHONY: help run build site test lint rust-tests sdk-tests browser-tests format build-tools test-tools clean

help:
	@sed -n '1,3s/^# //p' Makefile

run: build
	exec dist/till demo

build: site
	cargo build --release --locked -p server
	install -D $(CARGO_TARGET_DIR)/release/till dist/till
	@echo "dist/till is ready"

# The pages' WebAssembly, JavaScript and CSS, which the server is compiled with.
site: build-tools
	end2end/build/site.sh dist/site

test: lint rust-tests build sdk-tests browser-tests
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

format:
	cargo fmt

build-tools:
	@.ci/setup build

test-tools:
	@.ci/setup test

clean:
	rm -rf dist data $(CACHE)
