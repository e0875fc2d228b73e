#!/usr/bin/env bash
# Build a virtual environment of this workspace:  infra/environment.sh FOLDER PACKAGE ...
# PACKAGE is core, signals, dataset, model, or `all` for these four, the flows and the developer's tools.
# PYTHON and TORCH_BACKEND: see infra/virtualenv.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$1
shift
. infra/virtualenv.sh

# With the extras that their tests, and those of packages above them, use.
declare -A extras=([signals]="[body]" [dataset]="[speech]" [model]="[identity,prompt]")
wanted=()
for package in "$@"; do
    case $package in
        all) for each in core signals dataset model; do wanted+=(-e "packages/$each${extras[$each]:-}"); done
             wanted+=(-e ".[dev]") ;;
        *) wanted+=(-e "packages/$package${extras[$package]:-}") ;;
    esac
done

"${install[@]}" "${source_of_torch[@]}" -c constraints.txt --override overrides.txt \
    "${wanted[@]}" pytest pytest-timeout hypothesis joblib scikit-image setuptools
"${install[@]}" --no-deps -r footage.txt
touch "$folder/.ready"
