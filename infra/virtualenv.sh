# Sourced by the scripts that build environments: an empty virtual environment, and how to install into it.
# Takes `folder`, leaves the command `install` and the option `source_of_torch`.
# PYTHON picks the interpreter, TORCH_BACKEND the PyTorch build (auto, cpu, cu128, ...) where no PIP_FIND_LINKS names one.
# shellcheck shell=bash disable=SC2034,SC2154

uv_version=0.13.8

python=${PYTHON:-$(command -v python3.11 || command -v python3.12 || command -v python3)}
"$python" - <<'PY' || { echo "Python 3.11 or 3.12 is needed: make PYTHON=/path/to/python3.11 ..." >&2; exit 2; }
import sys
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))
PY

echo "setting up $folder (a minute or two the first time)" >&2
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
