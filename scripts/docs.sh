#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes the keyword reference of libraries and resources to docs/keywords/: Markdown for reading on the web, and for the
# libraries Libdoc's HTML with a search. Both are kept in git.
set -euo pipefail
# shellcheck source=scripts/bootstrap.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/bootstrap.sh"

bootstrap cluster
"$PYTHON" "$ROOT/scripts/keyword_pages.py"
