#!/usr/bin/env bash
# Makes the virtual environment $1 with kbridge (editable) and everything its tests need, at the pinned versions.
# PYTHON names the interpreter to use; without it the first suitable one on the path is taken.
set -euo pipefail

venv=$1
suits() { "$@" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
version_of() { "$1" -c 'import sys; print("Python %d.%d.%d" % sys.version_info[:3])' 2>/dev/null || echo "not a Python that runs"; }

find_python() {
  if [ -n "${PYTHON:-}" ]; then
    suits "$PYTHON" && echo "$PYTHON" && return
    echo "PYTHON=$PYTHON is $(version_of "$PYTHON"); kbridge needs Python 3.11 or newer." >&2
    return 1
  fi
  for candidate in python3.11 python3.12 python3.13 python3 python; do
    suits "$candidate" && echo "$candidate" && return
  done
  echo "No Python 3.11 or newer found. Install one, or name it: make PYTHON=/path/to/python3.11" >&2
  return 1
}

if ! { suits "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1; }; then
  python=$(find_python)
  echo "Making $venv with $(version_of "$python") ..."
  "$python" -m venv --clear "$venv"
fi
echo "Installing kbridge and its pinned dependencies into $venv (minutes, the first time) ..."
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
