#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole test suite: linters, wording and spelling, types, contracts between packages, the test plan, a dry run of
# the suites, and all tests.
#
#   ./test.sh                    all of it
#   ./test.sh --quick            the same, with those tests only that start no process and listen on no port
#   ./test.sh [OPTION]...        all of it; the options go to pytest
#   ./test.sh TEST...            only these tests (paths, node ids, -k or -m), and no linters
#
# With --install, or CI=true, it installs what this machine lacks. Wrong options end it with 64.
set -euo pipefail
# shellcheck source=scripts/bootstrap.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/scripts/bootstrap.sh"

readonly EXPECTED_WHOLE="8 minutes" EXPECTED_QUICK="30 seconds"

[[ ${CI:-} != true ]] || INSTALL=yes
quick='' arguments=()
for argument; do
  case $argument in
    --install) INSTALL=yes ;;
    --quick) quick=yes ;;
    *) arguments+=("$argument") ;;
  esac
done
set -- ${arguments[@]+"${arguments[@]}"}
[[ -n $quick ]] || BROWSER=yes
bootstrap tests
[[ -n $quick ]] || offer_browser
cd -- "$ROOT"
export PATH=$VENV/bin:$PATH

# Whether the arguments name tests, or ask pytest for something that runs none.
names_tests() {
  local argument
  for argument; do
    case $argument in
      -k* | -m* | --version | -V | --help | -h | --lf | --last-failed | --collect-only | --co | --fixtures) return 0 ;;
      -*) ;;
      *) [[ ! -e ${argument%%::*} ]] || return 0 ;;
    esac
  done
  return 1
}

if names_tests "$@"; then
  exec "$PYTHON" -m pytest "$@"
fi

# What pytest does not know is told now, and not behind the linters.
if (($#)) && ! refused=$("$PYTHON" -m pytest --collect-only --quiet "$@" tests/lint/test_licence.py 2>&1); then
  grep -m1 -e 'error: ' <<<"$refused" || printf '%s\n' "$refused"
  exit 64
fi >&2

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# Where what failed is told at once.
exec {terminal}>&1

# One line a stage, with its duration; the output of a stage that passed is not worth reading.
stage() {
  local name=$1 output start=$EPOCHREALTIME result=ok
  shift
  output=$("$@" 2>&1) || result=FAILED
  [[ $result == ok ]] || printf '%s\n' "$name" >>"$work/failed"
  report_stage "$name" "$result" "$start" "$output"
}

report_stage() {
  local name=$1 result=$2 start=$3 output=$4 seconds
  seconds=$(awk -v from="$start" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }')
  # In one write: stages that run beside each other do not mix their lines.
  if [[ $result == ok ]]; then
    printf '%-18s %6s  %5s s\n' "$name" "$result" "$seconds"
  else
    printf '%-18s %6s  %5s s\n%s\n' "$name" "$result" "$seconds" "$output" >&"$terminal"
  fi
}

# Beside the next ones: as many as there are processors.
beside() {
  while (($(jobs -rp | wc -l) >= $(nproc))); do wait -n || true; done
  stage "$@" &
}

# A process that a test left has the environment of its pytest.
left_processes() {
  local found
  for _ in {1..200}; do
    found=$(grep -lszx "TESTS_OF=$$" /proc/[0-9]*/environ | tr -dc '0-9\n' | paste -sd,) || true
    [[ -n $found ]] || return 0
    sleep 0.1
  done
  ps -o pid=,args= -p "$found"
  return 1
}

# Results are a user's: tests and dry runs leave them and results/latest alone.
results() {
  find results -printf '%p %l %T@\n' 2>/dev/null | sort || true
}

results_untouched() {
  local results_now
  results_now=$(results)
  [[ $results_now != "$results_before" ]] || return 0
  diff <(echo "$results_before") <(echo "$results_now") || true
  echo "results/ changed meanwhile: by a test, or by a run that was started beside the tests"
  return 1
}

results_before=$(results)
mapfile -t scripts < <(git ls-files '*.sh' run.sh test.sh .ci/run | sort -u)
mapfile -t texts < <(git grep -Il "")
if [[ -n $quick ]]; then
  echo "Quick lane: expected to take $EXPECTED_QUICK on two processors, and two minutes more the first time"
else
  echo "All tests: expected to take $EXPECTED_WHOLE on two processors; ./test.sh --quick takes $EXPECTED_QUICK"
fi
# A fresh checkout has no bytecode, and each worker would write all of it. Two processes share it out.
write_bytecode() {
  ! compgen -G "tests/lint/__pycache__/test_wording.*.pyc" >/dev/null || return 0
  "$PYTHON" -m pytest --collect-only --quiet tests/unit &
  "$PYTHON" -m pytest --collect-only --quiet --ignore=tests/unit || true
  wait
} >/dev/null 2>&1

# What looks at files only. The longest first.
checks() {
  # On a busy machine the import of a library takes longer than the ten seconds that RobotCode gives it.
  beside "robotcode analyze" env ROBOTCODE_LOAD_LIBRARY_TIMEOUT=120 robotcode --no-color analyze code suites resources libraries
  beside mypy mypy
  beside "robot --dryrun" robot --dryrun --output NONE --log NONE --report NONE --pythonpath libraries suites
  beside shellcheck shellcheck --external-sources "${scripts[@]}"
  beside "ruff check" ruff check
  beside "ruff format" ruff format --check
  beside "robocop check" robocop check --no-cache suites resources
  # Examples prove no rows of the test plan.
  beside "robocop examples" robocop check --no-cache --ignore NAD04 docs/examples
  beside "robocop format" robocop format --check --no-cache suites resources docs/examples
  beside wording "$PYTHON" -m tests.lint.wording
  beside licence "$PYTHON" -m tests.lint.licence
  beside codespell codespell "${texts[@]}"
  beside "import contracts" env PYTHONPATH=libraries lint-imports --no-cache --no-logo
  beside "testplan check" "$PYTHON" -m testplan check
  wait
}

if [[ -n $quick ]]; then
  beside "quick tests" env "TESTS_OF=$$" "$PYTHON" -m pytest @tests/quick.args "$@"
  checks
else
  write_bytecode
  # In the processor time that the tests leave, which often wait for a cluster. A check that fails is told at once; the
  # lines of the others do not stand between those of pytest.
  {
    renice -n 10 -p "$BASHPID" >/dev/null || true
    checks
  } >"$work/checks" &
  checking=$!
  start=$EPOCHREALTIME
  result=ok
  # For the same reason there are more workers than processors; see tests/conftest.py.
  env "TESTS_OF=$$" "$PYTHON" -m pytest --numprocesses 6 --dist loadfile --no-loadscope-reorder "$@" || result=FAILED
  [[ $result == ok ]] || echo pytest >>"$work/failed"
  wait "$checking" || echo checks >>"$work/failed"
  cat -- "$work/checks"
  report_stage pytest "$result" "$start" ""
fi
stage "left processes" left_processes
stage "results untouched" results_untouched

if [[ -s $work/failed ]]; then
  printf 'FAILED: %s\n' "$(paste -sd, <"$work/failed")" >&2
  exit 1
fi
echo "all stages passed"
