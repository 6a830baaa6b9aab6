#!/usr/bin/env bash
# Writes the keyword reference of libraries and resources to docs/keywords/: pages for reading on the web, which are kept
# in git, and Libdoc's own, with a search, which are not.
set -euo pipefail
# shellcheck source=scripts/bootstrap.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/bootstrap.sh"

bootstrap cluster
"$PYTHON" "$ROOT/scripts/keyword_pages.py"
for library in KubeVirtLibrary GuestLibrary; do
  "$PYTHON" -m robot.libdoc --pythonpath "$ROOT/libraries" "$library" "$ROOT/docs/keywords/$library.html"
done
for resource in "$ROOT"/libraries/*/*.resource "$ROOT"/resources/*.resource; do
  "$PYTHON" -m robot.libdoc --pythonpath "$ROOT/libraries" "$resource" \
    "$ROOT/docs/keywords/$(basename "$resource" .resource).html"
done
