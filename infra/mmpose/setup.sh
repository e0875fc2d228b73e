#!/usr/bin/env bash
# Build the environment of the mmpose tracker:  infra/mmpose/setup.sh FOLDER
# mmpose needs what the other environments must not have, so it lives apart and runs in a child process (design 4).
# PYTHON and TORCH_BACKEND: see infra/virtualenv.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=$1
pins=infra/mmpose/requirements.txt
command -v "${CC:-cc}" >/dev/null || { echo "A C compiler is needed to build xtcocotools: install gcc" >&2; exit 2; }
. infra/virtualenv.sh

# What xtcocotools is compiled with and against must be there before it.
grep -E '^(cython|numpy|setuptools)==' "$pins" | "${install[@]}" -r -
"${install[@]}" "${source_of_torch[@]}" --override infra/mmpose/overrides.txt \
    --no-binary xtcocotools --no-build-isolation-package xtcocotools -r "$pins"
touch "$folder/.ready"
