# SPDX-License-Identifier: Apache-2.0
"""No credential of a run is in any of its files, however much is logged."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from tests.browser.conftest import SeenRun

PASSWORD = 20
"""Letters and digits of a password that a run makes."""

# Robot packs long strings of log.html: base64 of zlib.
_PACKED = re.compile(r"eN[\w+/]{20,}={0,2}")


def texts(path: Path) -> Iterator[str]:
    """What a file says, packed parts included."""
    text = path.read_text(encoding="utf-8", errors="replace")
    yield text
    if path.name == "log.html":
        for packed in _PACKED.findall(text):
            try:
                yield zlib.decompress(base64.b64decode(packed)).decode()
            except (ValueError, zlib.error):
                continue


def forms(secret: str) -> list[str]:
    """A secret as it stands, or as base64 at any place of a longer text; of a key each of its lines."""
    lines = [line for line in secret.splitlines() if len(line) >= 12 and not line.startswith("-----")]
    encoded = [base64.b64encode(b"\0" * shift + line.encode()).decode() for line in lines for shift in range(3)]
    return [*lines, *(text[4:-4] for text in encoded)]


def test_no_secret_is_in_any_file_or_on_the_console(run: SeenRun) -> None:
    keys = [secret for secret in run.secrets if "PRIVATE KEY" in secret]
    passwords = [secret for secret in run.secrets if len(secret) == PASSWORD]
    others = set(run.secrets) - {*keys, *passwords}
    assert keys and passwords, "the guests' keys and passwords are known"
    assert len(others) > 1, "and what the user and the VM owners prove themselves by"
    wanted = re.compile("|".join(re.escape(form) for secret in run.secrets for form in forms(secret)))
    files = [path for path in run.folder.rglob("*") if path.is_file()]
    assert {"log.html", "report.html", "output.xml", "signoff.html", "history.jsonl"} <= {path.name for path in files}
    found = [str(path.relative_to(run.folder)) for path in files if any(wanted.search(text) for text in texts(path))]
    assert found == []
    assert not wanted.search(run.printed)


def test_the_search_itself_finds_what_is_there(run: SeenRun, tmp_path: Path) -> None:
    secret = run.secrets[0]
    packed = base64.b64encode(zlib.compress(f"{'x' * 50} {secret} {'y' * 50}".encode(), 9)).decode()
    (tmp_path / "log.html").write_text(f'"{packed}"', encoding="utf-8")
    wanted = re.compile("|".join(map(re.escape, forms(secret))))
    assert any(wanted.search(text) for text in texts(tmp_path / "log.html"))
