# SPDX-License-Identifier: Apache-2.0
"""``python -m livenad``. See ``--help``."""

from __future__ import annotations

import sys

from livenad.rejudge.command import main

if __name__ == "__main__":
    sys.exit(main())
