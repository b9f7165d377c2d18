#!/bin/sh
# Builds the expert as a Linux program against the shim: build.sh [FOLDER] makes FOLDER/expert-standin.
# Needs g++ and python3 and nothing else.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-"$here/build"}
mkdir -p "$out"
python3 "$here/translate.py" "$here/../.." "$out"
# Reading beyond an array, signed overflow and the like end the program, as they must not happen.
# Precompiled parts would save little: all of it takes a few seconds.
g++ -std=c++17 -g -O1 -Wall -Wextra -Wshadow -Wno-unused-parameter -Werror \
    -fsanitize=address,undefined -fno-sanitize-recover=all -I"$here" -I"$out" -x c++ \
    "$here/text.cpp" "$here/files.cpp" "$here/json.cpp" "$here/line.cpp" "$here/terminal.cpp" "$here/main.cpp" \
    -o "$out/expert-standin.new"
mv "$out/expert-standin.new" "$out/expert-standin"
