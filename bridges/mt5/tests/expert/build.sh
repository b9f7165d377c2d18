#!/bin/sh
# Builds the expert as a Linux program against the shim: build.sh [FOLDER] makes FOLDER/expert-standin;
# without a folder it is target/expert.
# Needs g++ and python3 and nothing else.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-"$here/../../../../target/expert"}
mkdir -p "$out"
python3 "$here/translate.py" "$here/../.." "$out"
# Reading beyond an array, signed overflow and the like end the program, as they must not happen.
flags="-std=c++17 -g1 -Wall -Wextra -Wshadow -Wno-unused-parameter -Werror"
flags="$flags -fsanitize=address,undefined -fno-sanitize-recover=all"
objects=""
for part in text files json line terminal main; do
    object="$out/$part.o"
    newer=always
    # The shim's own parts change seldom; the expert is in main.
    [ "$part" = main ] || [ ! -f "$object" ] || newer=$(find "$here" "$out/mql5_constants.hpp" -newer "$object")
    [ -z "$newer" ] || g++ $flags -I"$here" -I"$out" -c "$here/$part.cpp" -o "$object"
    objects="$objects $object"
done
g++ $flags $objects -o "$out/expert-standin.new"
mv "$out/expert-standin.new" "$out/expert-standin"
