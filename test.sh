#!/usr/bin/env bash
# The whole test suite: linters, wording and spelling, types, contracts between packages, the test plan, a dry run of
# the suites, and all tests. Arguments go to pytest; with any, only pytest runs. With --install in front, or CI=true, it
# installs what this machine lacks.
set -euo pipefail
# shellcheck source=scripts/bootstrap.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/scripts/bootstrap.sh"

[[ ${CI:-} != true ]] || INSTALL=yes
if [[ ${1:-} == --install ]]; then
  INSTALL=yes
  shift
fi
bootstrap tests
offer_browser
cd -- "$ROOT"
export PATH=$VENV/bin:$PATH

failed=()

# One line a stage, with its duration; the output of a stage that passed is not worth reading.
stage() {
  local name=$1 output start=$EPOCHREALTIME result=ok
  shift
  output=$("$@" 2>&1) || result=FAILED
  printf '%-18s %6s  %5.1f s\n' "$name" "$result" "$(bc_seconds "$start")"
  [[ $result == ok ]] && return
  printf '%s\n' "$output"
  failed+=("$name")
}

bc_seconds() {
  awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { print to - from }'
}

if (($#)); then
  exec "$PYTHON" -m pytest "$@"
fi

mapfile -t scripts < <(git ls-files '*.sh' run.sh test.sh .ci/run | sort -u)
stage shellcheck shellcheck --external-sources "${scripts[@]}"
stage "ruff check" ruff check
stage "ruff format" ruff format --check
stage "robocop check" robocop check --no-cache suites resources
# Examples prove no rows of the test plan.
stage "robocop examples" robocop check --no-cache --ignore NAD04 docs/examples
stage "robocop format" robocop format --check --no-cache suites resources docs/examples
stage wording "$PYTHON" -m tests.lint.wording
mapfile -t texts < <(git grep -Il "")
stage codespell codespell "${texts[@]}"
stage mypy mypy
stage "import contracts" env PYTHONPATH=libraries lint-imports --no-cache --no-logo
stage "testplan check" "$PYTHON" -m testplan check
stage "robot --dryrun" robot --dryrun --output NONE --log NONE --report NONE --pythonpath libraries suites
stage "robotcode analyze" robotcode --no-color analyze code suites resources libraries

start=$EPOCHREALTIME
# Most tests wait for a cluster, not for a processor: more workers than processors.
"$PYTHON" -m pytest --numprocesses 3 --dist worksteal || failed+=(pytest)
printf '%-18s %6s  %5.1f s\n' pytest "$([[ " ${failed[*]-} " == *" pytest "* ]] && echo FAILED || echo ok)" "$(bc_seconds "$start")"

if ((${#failed[@]})); then
  printf 'FAILED: %s\n' "${failed[*]}" >&2
  exit 1
fi
echo "all stages passed"
