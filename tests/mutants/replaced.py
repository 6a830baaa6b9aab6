# SPDX-License-Identifier: Apache-2.0
"""Runs pytest with one source file replaced: ``MUTATED_FILE`` by the text of ``MUTATED_BY``. See `runner`."""

from __future__ import annotations

import importlib.machinery
import os
import sys
from pathlib import Path
from typing import Any

import pytest


class _Loader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname: str) -> Any:
        if self.path == os.environ["MUTATED_FILE"]:
            return compile(Path(os.environ["MUTATED_BY"]).read_text(encoding="utf-8"), self.path, "exec")
        return super().get_code(fullname)


if __name__ == "__main__":
    hook = importlib.machinery.FileFinder.path_hook((_Loader, importlib.machinery.SOURCE_SUFFIXES))
    sys.path_hooks.insert(0, hook)
    sys.path_importer_cache.clear()
    sys.exit(pytest.main(sys.argv[1:]))
