#!/usr/bin/env bash
# Writes the keyword documentation of both libraries to docs/keywords/ (not kept in git: it is generated and large).
set -euo pipefail
# shellcheck source=scripts/bootstrap.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/bootstrap.sh"

bootstrap cluster
mkdir -p -- "$ROOT/docs/keywords"
for library in KubeVirtLibrary GuestLibrary; do
  "$PYTHON" -m robot.libdoc --pythonpath "$ROOT/libraries" "$library" "$ROOT/docs/keywords/$library.html"
done
