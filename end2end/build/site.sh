#!/bin/sh
# Builds the WebAssembly and the pages' assets. Usage: site.sh [output directory]
# Needs node_modules (npm ci --prefix end2end) and wasm-bindgen on PATH or in ~/.cache/till/tools/bin.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH= cd -- "$here/../.." && pwd)
out=${1:-$root/dist/site}
case $out in /*) ;; *) out=$PWD/$out ;; esac
target=${CARGO_TARGET_DIR:-$root/target}

cd "$root"
# wasm-bindgen reads which features of WebAssembly are in use from a section that stripping takes away; wasm-opt strips
# afterwards.
export CARGO_PROFILE_WASM_RELEASE_STRIP=none
cargo build --quiet --locked -p frontend --target wasm32-unknown-unknown --profile wasm-release
node "$here/site.mjs" "$target/wasm32-unknown-unknown/wasm-release/frontend.wasm" "$out"
