#!/bin/sh
# Starts Ponte on a platform: start-ponte fly|render|railway, or the platform's name in
# PONTE_PLATFORM. The first start writes /data/ponte.toml; what is there is never touched.
set -eu
platform=${1:-${PONTE_PLATFORM:-}}
if [ -z "$platform" ]; then
    echo 'ponte: which platform is this? set PONTE_PLATFORM to fly, render or railway' >&2
    exit 2
fi
folder=$(dirname "${PONTE_CONFIG:-/data/ponte.toml}")
if [ "$(id -u)" != 0 ]; then
    exec ponte run --init-with "$platform"
fi
# The platform mounts its volume as root's, and a root's shell may have left files there.
find "$folder" -xdev -name lost+found -prune -o ! -user ponte -exec chown -h ponte:ponte {} +
exec setpriv --reuid=ponte --regid=ponte --init-groups --inh-caps=-all --no-new-privs -- \
    ponte run --init-with "$platform"
