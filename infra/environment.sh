#!/usr/bin/env bash
# Build a virtual environment of this workspace:  infra/environment.sh FOLDER PACKAGE ...
# PACKAGE is core, signals, dataset, model, or `all` for these four, the flows and the developer's tools.
# PYTHON picks the interpreter, TORCH_BACKEND the PyTorch build (auto, cpu, cu128, ...) where no PIP_FIND_LINKS names one.
set -euo pipefail
cd "$(dirname "$0")/.."

uv_version=0.13.8
folder=$1
shift

python=${PYTHON:-$(command -v python3.11 || command -v python3.12 || command -v python3)}
"$python" - <<'PY' || { echo "Python 3.11 or 3.12 is needed: make PYTHON=/path/to/python3.11 ..." >&2; exit 2; }
import sys
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))
PY

echo "setting up $folder (a minute or two the first time)" >&2
[ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$uv_version"

source_of_torch=()
if [ -n "${PIP_FIND_LINKS:-}" ]; then
    export UV_FIND_LINKS="$PIP_FIND_LINKS"
else
    source_of_torch=(--torch-backend "${TORCH_BACKEND:-auto}")
fi

wanted=()
for package in "$@"; do
    if [ "$package" = all ]; then
        for each in core "signals[body]" dataset model; do wanted+=(-e "packages/$each"); done
        wanted+=(-e ".[dev]")
    elif [ "$package" = signals ]; then
        wanted+=(-e "packages/signals[body]")
    else
        wanted+=(-e "packages/$package")
    fi
done

export UV_LINK_MODE=${UV_LINK_MODE:-hardlink}
install=("$folder/bin/uv" pip install --quiet --python "$folder/bin/python")
"${install[@]}" "${source_of_torch[@]}" -c constraints.txt --override overrides.txt \
    "${wanted[@]}" pytest pytest-timeout hypothesis joblib scikit-image setuptools
"${install[@]}" --no-deps -r footage.txt
touch "$folder/.ready"
