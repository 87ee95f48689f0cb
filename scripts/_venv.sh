# Shared by the scripts beside it; source it, do not run it.
#
#   uniecg_venv EXTRA...   makes .venv in the repository root with `pip install -e .[EXTRA,...]`, or reuses it.
#   uniecg_torch PYTHON    installs the CPU build of torch for that interpreter.
#
# A stamp in .venv remembers which extras were installed for which pyproject.toml, so that a second run costs no time.
# PYTHON=/path/to/python3 chooses the interpreter. What the installation has to say goes to stderr.

UNIECG_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
UNIECG_TORCH="${UNIECG_TORCH:-torch==2.13.0}"
export PIP_DISABLE_PIP_VERSION_CHECK=1

uniecg_log() { printf '%s\n' "$*" >&2; }

# The first interpreter that UniECG supports and that can make virtual environments.
uniecg_find_python() {
  local candidate
  local probe='import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 14))'
  for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3.10 python3 python}; do
    if command -v "$candidate" >/dev/null 2>&1 && "$candidate" -c "$probe" >/dev/null 2>&1; then
      command -v "$candidate"
      return 0
    fi
  done
  uniecg_log "error: no usable Python found: install Python 3.10 to 3.13 with its venv module, or set PYTHON=/path/to/python3"
  return 1
}

# torch goes first and pinned: left to the resolver, a later release with several GB of CUDA libraries may come instead.
uniecg_torch() {
  "$1" -m pip install -qq --progress-bar off "$UNIECG_TORCH" >&2
}

uniecg_venv() {
  local venv="$UNIECG_ROOT/.venv" python hash extra missing=()
  if ! "$venv/bin/python" -c 'import pip' >/dev/null 2>&1; then
    python="$(uniecg_find_python)"
    uniecg_log "Creating .venv with $("$python" --version)"
    "$python" -m venv --clear "$venv"
  fi
  hash="$("$venv/bin/python" -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$UNIECG_ROOT/pyproject.toml")"
  for extra in core "$@"; do
    grep -qsxF "$hash $extra" "$venv/uniecg-stamp" || missing+=("$extra")
  done
  if [ "${#missing[@]}" -gt 0 ]; then
    uniecg_log "Installing UniECG into .venv (${missing[*]}); the first time takes a few minutes"
    case " ${missing[*]} " in *" model "* | *" train "*) uniecg_torch "$venv/bin/python" ;; esac
    extra="$(IFS=, && printf '%s' "$*")"
    "$venv/bin/python" -m pip install -qq --progress-bar off --editable "$UNIECG_ROOT${extra:+[$extra]}" >&2
    for extra in core "$@"; do
      printf '%s %s\n' "$hash" "$extra"
    done >>"$venv/uniecg-stamp"
  fi
  export PATH="$venv/bin:$PATH"
}
