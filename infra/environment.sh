#!/usr/bin/env bash
# Build a virtual environment of this workspace:  infra/environment.sh FOLDER PACKAGE ...
# PACKAGE is core, signals, dataset, model, or `all` for these four, the flows and the developer's tools.
# PYTHON and TORCH_BACKEND: see infra/virtualenv.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$1
shift
. infra/virtualenv.sh

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

"${install[@]}" "${source_of_torch[@]}" -c constraints.txt --override overrides.txt \
    "${wanted[@]}" pytest pytest-timeout hypothesis joblib scikit-image setuptools
"${install[@]}" --no-deps -r footage.txt
touch "$folder/.ready"
