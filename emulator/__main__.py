# SPDX-License-Identifier: Apache-2.0
"""``python -m emulator``."""

import sys

from emulator.cli.main import main

try:
    sys.exit(main())
except KeyboardInterrupt:
    sys.exit(130)
