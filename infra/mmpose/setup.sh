#!/usr/bin/env bash
# Build the environment of the mmpose tracker:  infra/mmpose/setup.sh FOLDER
# mmpose needs what the other environments must not have, so it lives apart and runs in a child process (design 4).
# PYTHON picks the interpreter, TORCH_BACKEND the PyTorch build (auto, cpu, cu128, ...) where no PIP_FIND_LINKS names one.
set -euo pipefail
cd "$(dirname "$0")/../.."

uv_version=0.13.8
folder=$1
pins=infra/mmpose/requirements.txt

python=${PYTHON:-$(command -v python3.11 || command -v python3.12 || command -v python3)}
"$python" - <<'PY' || { echo "Python 3.11 or 3.12 is needed: make PYTHON=/path/to/python3.11 ..." >&2; exit 2; }
import sys
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))
PY
command -v "${CC:-cc}" >/dev/null || { echo "A C compiler is needed to build xtcocotools: install gcc" >&2; exit 2; }

echo "setting up $folder (about a minute the first time)" >&2
# A venv that was cut short has no pip yet: it is made anew over what is there.
"$folder/bin/python" -m pip --version >/dev/null 2>&1 || "$python" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$uv_version"

source_of_torch=()
if [ -n "${PIP_FIND_LINKS:-}" ]; then
    export UV_FIND_LINKS="$PIP_FIND_LINKS"
else
    source_of_torch=(--torch-backend "${TORCH_BACKEND:-auto}")
fi

export UV_LINK_MODE=${UV_LINK_MODE:-hardlink}
install=("$folder/bin/uv" pip install --quiet --python "$folder/bin/python")
# What xtcocotools is compiled with and against must be there before it.
grep -E '^(cython|numpy|setuptools)==' "$pins" | "${install[@]}" -r -
"${install[@]}" "${source_of_torch[@]}" --override infra/mmpose/overrides.txt \
    --no-binary xtcocotools --no-build-isolation-package xtcocotools -r "$pins"
touch "$folder/.ready"
