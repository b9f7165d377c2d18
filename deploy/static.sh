#!/bin/sh
# Builds the program as one file that needs nothing of the system it runs on: no library, no
# /dev/urandom (the kernel's own call gives random bytes). The profile is the argument.
set -eu
cd "$(dirname "$0")/.."
host=$(rustc -vV | sed -n 's/^host: //p')
# With --target these flags are the program's only, not those of macros and build scripts.
export RUSTFLAGS='-C target-feature=+crt-static --cfg getrandom_backend="linux_getrandom"'
exec cargo build --locked --package ponte --bin ponte --profile "${1:-release}" --target "$host"
