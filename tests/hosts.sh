#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hosts.sh [VERSION ...]: the add-on in other Blenders. Each bpy version gets its own venv under .hosts/ and runs
# tests/addon/hosts; with $BLENDER set (one Blender with a window, or several with a colon between) the real window too.
# Every host that cannot run is named with its reason; one that runs and fails, fails this script. The last line says
# which passed, failed, and were skipped.
set -uo pipefail
cd "$(dirname "$0")/.."
declare -A python=([4.2.23]=python3.11 [5.0.1]=python3.11 [5.2.3]=python3.13)
passed=() failed=() skipped=()
IFS=: read -ra windows <<<"${BLENDER:-}"
unset BLENDER # each host packs the extension with its own bpy

interpreter() { # NAME -> a command that really is that Python (pyenv leaves shims for versions it does not run)
  local candidate
  for candidate in "$1" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"${1#python}".*/bin/"$1"; do
    "$candidate" -c '' 2>/dev/null && { echo "$candidate"; return; }
  done
  return 1
}

skip() { # HOST REASON
  echo "SKIP $1: $2"
  skipped+=("$1")
}

tell() { # HOST COMMAND ... -> run it, and keep how it went
  local host=$1
  echo "== $host"
  if "${@:2}"; then passed+=("$host"); else failed+=("$host"); fi
}

list() { # NAME ... -> the names with commas between; or none
  local all
  printf -v all ', %s' "${@:-none}"
  echo "${all:2}"
}

host() { # VERSION -> run the host tests there
  local version=$1 venv=.hosts/$1 base
  base=$(interpreter "${python[$version]}") || { skip "bpy $version" "no ${python[$version]}"; return 0; }
  if [[ tests/hosts.sh -nt $venv/ready ]]; then # it is absent, or older than what this script installs
    "$base" -m venv "$venv" && "$venv/bin/pip" install -q "bpy==$version" pytest pytest-xdist hypothesis && touch "$venv/ready" ||
      { skip "bpy $version" "it could not be installed for $base"; return 0; }
  fi
  tell "bpy $version" "$venv/bin/python" -m pytest -c /dev/null --rootdir . --confcutdir tests/addon/hosts -p no:cacheprovider -p tests.blender_processes --import-mode=importlib -q -rs -n "${WORKERS:-2}" --dist loadfile -m 'not long' -o $'markers=timeout: pytest-timeout is not there\nlong: minutes by nature' tests/addon/hosts
}

for version in "${@:-4.2.23}" $([[ $# -gt 0 ]] || echo 5.0.1 5.2.3); do
  host "$version"
done
if [[ ${#windows[@]} -gt 0 ]]; then
  for window in "${windows[@]}"; do
    BLENDER=$window tell "window of $window" "${PYTHON:-.venv/bin/python}" -m pytest -q -rs tests/addon/window
  done
else
  skip 'real window' '$BLENDER is not set'
fi
echo "PASSED: $(list "${passed[@]}"). FAILED: $(list "${failed[@]}"). SKIPPED: $(list "${skipped[@]}")."
[[ ${#failed[@]} -eq 0 ]]
