# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by run.sh and test.sh: a virtual environment with what is needed, made once.
#
#   bootstrap SET   SET is cluster, embedded or tests. Sets PYTHON and STATE_DIR, or ends with one clear line.
#
# What the machine itself has to have is looked at first. Where INSTALL is set, what is missing is installed (Debian's
# packages, by root); otherwise it is named with the command, and nothing is begun. Where BROWSER is set, one is offered
# while the packages of Python come.
#
# What is installed are the locks in locks/, with hashes. With WITHOUT_LOCKS=yes it is the requirement files, whose ranges
# let in newer releases.
#
# A stamp in the environment holds its Python and the checksums of the files that it was made from, so that
# a second start only compares. Where the checkout may not be written (it is another user's), environment and results
# lie in the user's cache folder.

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
readonly ROOT
readonly EXIT_LAB=2
readonly CACHE=kubevirt-live-nad-tests
# Not what an environment may have by these names.
INSTALL='' BROWSER=''

# Containers often set it. Then each of a run's processes compiles all modules that it imports: 4 of 11 s of CPU for P0.
unset PYTHONDONTWRITEBYTECODE

# An ordinary user's PATH may lack the folder that holds ip.
export PATH=$PATH:/usr/sbin:/sbin

fail() {
  printf 'error: %s\n' "$*" >&2
  exit "$EXIT_LAB"
}

note() {
  printf '%s\n' "$*" >&2
}

bootstrap() {
  local set=$1 sums
  trap unexpected EXIT
  sums=$(checksums "$set")
  require_machine "$set" "$sums"
  if stamp_holds "$ROOT/.venv" "$sums"; then
    VENV=$ROOT/.venv
  elif may_write "$ROOT" && may_write "$ROOT/.venv"; then
    VENV=$ROOT/.venv
    make_environment "$set" "$sums"
  else
    VENV=$(cache_dir)/venv
    stamp_holds "$VENV" "$sums" || make_environment "$set" "$sums"
  fi
  PYTHON=$VENV/bin/python
  if may_write "$ROOT" && may_write "$ROOT/results"; then
    STATE_DIR=$ROOT
  else
    STATE_DIR=$(cache_dir)
  fi
  export PYTHON STATE_DIR
  trap - EXIT
}

# A command that failed without a word of ours would end with 1, as a run that found the product at fault.
unexpected() {
  local status=$?
  ((status != 1)) || fail "the start failed; is the disk full, or $ROOT out of reach?"
}

# The checksums of a set's files, one line each. Each set holds the one before.
checksums() {
  local files=(locks/cluster.txt locks/embedded.txt locks/tests.txt)
  [[ ${WITHOUT_LOCKS:-} != yes ]] || files=(requirements.txt emulator/requirements.txt tests/requirements.txt)
  case $1 in
    cluster) files=("${files[0]}") ;;
    embedded) files=("${files[@]:0:2}") ;;
  esac
  cd -- "$ROOT" || return
  if command -v sha256sum >/dev/null; then
    sha256sum -- "${files[@]}"
  else
    shasum -a 256 -- "${files[@]}"
  fi
}

# Whether an environment still has its Python and was made from these files.
stamp_holds() {
  local venv=$1 sums=$2 stamp line
  [[ -x $venv/bin/python && -r $venv/.stamp ]] || return 1
  stamp=$(<"$venv/.stamp")
  [[ $stamp == "$(python_of "$venv")"* ]] || return 1
  while read -r line; do
    [[ $stamp == *"$line"* ]] || return 1
  done <<<"$sums"
}

python_of() {
  readlink -f -- "$1/bin/python"
}

# Whether this folder may be written, or made.
may_write() {
  if [[ -e $1 ]]; then [[ -w $1 ]]; else [[ -w $(dirname -- "$1") ]]; fi
}

cache_dir() {
  local base=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}
  local dir=$base/$CACHE
  mkdir -p -- "$dir" 2>/dev/null && [[ -w $dir ]] ||
    fail "neither $ROOT nor $dir may be written; set XDG_CACHE_HOME to a folder of yours"
  printf '%s\n' "$dir"
}

# One at a time: a second first start waits for the first one and finds its work done.
make_environment() {
  local set=$1 sums=$2 lock=$VENV.lock
  mkdir -p -- "$(dirname -- "$VENV")"
  if command -v flock >/dev/null; then
    exec {LOCK_FD}>"$lock"
    flock "$LOCK_FD"
  fi
  if ! stamp_holds "$VENV" "$sums"; then
    note "Setting up $VENV, once ..."
    "$VENV/bin/python" -c '' 2>/dev/null || create_venv
    [[ -z $BROWSER ]] || offer_browser &
    install_requirements "$set"
    wait
    printf '%s\n%s\n' "$(python_of "$VENV")" "$sums" >"$VENV/.stamp.new"
    mv -- "$VENV/.stamp.new" "$VENV/.stamp"
  fi
  if [[ -n ${LOCK_FD:-} ]]; then exec {LOCK_FD}>&-; fi
}

create_venv() {
  local host_python
  host_python=$(find_python)
  rm -rf -- "$VENV"
  if "$host_python" -c 'import ensurepip, venv' 2>/dev/null; then
    "$host_python" -m venv "$VENV"
  elif "$host_python" -c 'import pip, venv' 2>/dev/null; then
    "$host_python" -m venv --without-pip "$VENV"
  else
    fail "$host_python cannot make a virtual environment, though it has a venv module"
  fi
}

# The newest Python that will do; false where there is none.
find_python() {
  local candidate
  for candidate in ${PYTHON_FOR_VENV:-python3.14 python3.13 python3.12 python3.11 python3}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v -- "$candidate"
      return
    fi
  done
  return 1
}

install_requirements() {
  local set=$1 line pip=("$VENV/bin/python" -m pip) files=()
  # Settings of the user's that lead a package elsewhere than into the environment.
  unset PIP_TARGET PIP_PREFIX PIP_ROOT PIP_NO_DEPS PIP_DRY_RUN PIP_REQUIRE_VIRTUALENV
  export PIP_USER=0
  # Made with --without-pip: the host's pip installs into it.
  "${pip[@]}" --version >/dev/null 2>&1 || pip=("$(find_python)" -m pip --python "$VENV/bin/python")
  pip+=(install --quiet --quiet --disable-pip-version-check)
  if [[ $set == tests && ${WITHOUT_LOCKS:-} != yes ]]; then
    install_thirds "${pip[@]}" && return
  else
    while read -r _ line; do files+=(-r "$ROOT/${line#\*}"); done <<<"$(checksums "$set")"
    # The lock of a set holds those before it.
    [[ ${WITHOUT_LOCKS:-} == yes ]] || files=(--require-hashes "${files[@]: -2}")
    "${pip[@]}" "${files[@]}" && return
  fi
  fail "the requirements could not be installed into $VENV; is a package index reachable?"
}

# Three in parallel: pip waits for the network, and is busy with one processor otherwise. A lock is complete: nothing has
# to look for dependencies. Of 5,000 modules the tests import a few hundred, which are compiled by that.
install_thirds() {
  local pip=("$@" --no-compile --no-deps --require-hashes -r /dev/stdin) started=() one
  for one in 0 1 2; do
    third_of_lock "$one" | "${pip[@]}" &
    started+=($!)
  done
  for one in "${started[@]}"; do wait "$one" || return; done
}

# Every third package, whose lines after the first are indented.
third_of_lock() {
  awk -v third="$1" '/^[^ #]/ { number++ } number % 3 == third' "$ROOT/locks/tests.txt"
}

# What the machine has to have: the package of each thing that is missing is installed, or all are named.
require_machine() {
  local set=$1 sums=$2 missing=()
  [[ $set == cluster || $(uname -s) == Linux ]] ||
    fail "the embedded cluster needs Linux; on $(uname -s), give a real one with --kubeconfig FILE"
  if ! has_environment "$sums"; then
    find_python >/dev/null || want python3 find_python
    if find_python >/dev/null; then can_make_environment || want python3-venv can_make_environment; fi
  fi
  if [[ $set != cluster ]]; then
    command -v ip >/dev/null || want iproute2 command -v ip
    command -v ping >/dev/null || want iputils-ping command -v ping
  fi
  if [[ $set == tests ]]; then
    command -v git >/dev/null || want git command -v git
  fi
  ((${#missing[@]} == 0)) ||
    fail "this machine lacks ${missing[*]}; install what is missing with \"apt-get install ${missing[*]}\" (packages of" \
      "Debian), or start with --install as root"
}

# Installs a package until a test of it succeeds; otherwise it is missing.
want() {
  local package=$1
  shift
  if [[ -n ${INSTALL:-} ]] && apt_install "$package" && "$@" >/dev/null; then return; fi
  missing+=("$package")
}

has_environment() {
  local sums=$1
  stamp_holds "$ROOT/.venv" "$sums" || "$ROOT/.venv/bin/python" -c '' 2>/dev/null ||
    stamp_holds "${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/$CACHE/venv" "$sums"
}

can_make_environment() {
  local host_python
  host_python=$(find_python)
  "$host_python" -c 'import ensurepip, venv' 2>/dev/null || "$host_python" -c 'import pip, venv' 2>/dev/null
}

# A browser, to look at logs and reports with: where there is none and none can be had, those tests are skipped.
offer_browser() {
  if command -v chromedriver >/dev/null || [[ -e $VENV/.browser-tried ]]; then return; fi
  # Its driver brings the browser.
  if [[ -n ${INSTALL:-} ]]; then
    apt_install chromium-driver && return
    : 2>/dev/null >"$VENV/.browser-tried" || true
  fi
  note "No browser: the tests that look at logs and reports are skipped (Debian: apt-get install chromium-driver)"
}

# Installs a Debian package; false where that cannot be done.
apt_install() {
  [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || return 1
  note "Installing $1 ..."
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --quiet --no-install-recommends "$1" >/dev/null 2>&1 && return
  apt-get update --quiet --quiet >/dev/null 2>&1 || return 1
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --quiet --no-install-recommends "$1" >/dev/null 2>&1
}
