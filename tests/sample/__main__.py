# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.sample``: makes the sample run again, on an embedded cluster, with its pages and pictures."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.browser.webdriver import missing
from tests.sample.pages import ROOT, keep, make
from tests.sample.pictures import take

COMMAND = ("./run.sh", "--include", "p0", "--defect", "restart-required-blinks")
"""The one of the README: the product is at fault."""


def main() -> int:
    """0, or 64 without a browser, or 1 when the run did not end as it should."""
    parser = argparse.ArgumentParser(prog="python -m tests.sample", description=__doc__)
    parser.add_argument("--pages", action="store_true", help="only pages and pictures, from the run that is there")
    arguments = parser.parse_args()
    if lacking := missing():
        print(f"error: no browser to take pictures with: apt-get install {lacking.replace(',', '')}", file=sys.stderr)
        return 64
    if not arguments.pages:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([*COMMAND, "--outputdir", folder], check=False, cwd=ROOT)
            if done.returncode != 1:
                print(f"error: {' '.join(COMMAND)} ended with {done.returncode}, expected 1", file=sys.stderr)
                return 1
            keep(Path(folder))
    make()
    take()
    return 0


if __name__ == "__main__":
    sys.exit(main())
