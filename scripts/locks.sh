#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes the locks in locks/ from the requirement files: the newest releases within their ranges, with hashes, for every
# supported Python and platform. Each set holds the one before, in the same versions.
#
#   scripts/locks.sh            keep the versions that the locks have, where the ranges allow it
#   scripts/locks.sh --upgrade  take the newest
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

compile() {
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command scripts/locks.sh "$@"
}

command -v uv >/dev/null || {
  echo "error: scripts/locks.sh needs uv; install it with \"pip install uv\"" >&2
  exit 2
}
compile "$@" requirements.txt --output-file locks/cluster.txt
compile "$@" requirements.txt emulator/requirements.txt --constraint locks/cluster.txt --output-file locks/embedded.txt
compile "$@" requirements.txt emulator/requirements.txt tests/requirements.txt --constraint locks/embedded.txt \
  --output-file locks/tests.txt
