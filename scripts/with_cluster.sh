#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a command with KUBECONFIG set to an embedded cluster that is started for it and stopped after it. What it needs is
# installed first, as by run.sh. RobotCode's profiles in robot.toml call it.
#
#   scripts/with_cluster.sh [OPTION OF python -m emulator exec]... -- COMMAND...
set -euo pipefail
# shellcheck source=scripts/bootstrap.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/bootstrap.sh"

bootstrap embedded
export PYTHONPATH=$ROOT${PYTHONPATH:+:$PYTHONPATH}
exec "$PYTHON" -m emulator exec "$@"
