# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium, driven by chromedriver's own protocol: the few requests that the tests here need."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DRIVER = "chromedriver"
_STARTED = "was started successfully on port "


def missing() -> str:
    """What has to be installed, "" when all is there."""
    lacking = [] if any(map(shutil.which, BROWSERS)) else ["chromium"]
    return ", ".join([*lacking, *([] if shutil.which(DRIVER) else ["chromium-driver"])])


class Browser:
    """One window; ``port`` is the driver's."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._session = ""

    def start(self, profile: Path) -> None:
        """Open the window, with a profile of its own."""
        flags = (
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1200,1000",
            f"--user-data-dir={profile}",
        )
        binary = next(path for path in map(shutil.which, BROWSERS) if path)
        options = {
            "goog:chromeOptions": {"args": list(flags), "binary": binary},
            "goog:loggingPrefs": {"browser": "ALL"},
            "timeouts": {"script": 90000, "pageLoad": 90000},
        }
        answer = self._post("/session", {"capabilities": {"alwaysMatch": options}})
        self._session = f"/session/{answer['sessionId']}"
        self._tell("Performance.enable", {"timeDomain": "threadTicks"})

    def open(self, page: Path, fragment: str = "") -> None:
        """Load a file, and wait until it is loaded. What was complained of before is forgotten."""
        self.complaints()
        self._post(f"{self._session}/url", {"url": page.resolve().as_uri() + fragment})

    def run(self, script: str, *arguments: Any) -> Any:
        """What a function body of JavaScript returns."""
        return self._post(f"{self._session}/execute/sync", {"script": script, "args": list(arguments)})

    def wait_for(self, expression: str) -> None:
        """Until an expression is true, for a minute. AssertionError when it never is."""
        script = f"""const done = arguments[0], end = Date.now() + 60000;
            (function look() {{ if ({expression}) done(true); else if (Date.now() > end) done(false);
                                else setTimeout(look, 50); }})();"""
        assert self._post(f"{self._session}/execute/async", {"script": script, "args": []}), expression

    def complaints(self) -> list[str]:
        """Errors and warnings on the console since the last look."""
        entries = self._post(f"{self._session}/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]

    def pages(self) -> int:
        """How many pages the document takes when it is printed as its style sheet says."""
        try:
            printed = self._post(f"{self._session}/print", {"background": True})
        except AssertionError as error:
            # Chromium prints in a process of its own, which a busy machine starts too late.
            if "Printing failed" not in str(error):
                raise
            printed = self._post(f"{self._session}/print", {"background": True})
        return base64.b64decode(printed).count(b"/Type /Page\n")

    def worked(self) -> float:
        """Seconds of the processor that the open page has taken; a clock would tell what others take as well."""
        found = self._tell("Performance.getMetrics", {})["metrics"]
        return float(next(metric["value"] for metric in found if metric["name"] == "TaskDuration"))

    def prefer(self, scheme: str) -> None:
        """Ask pages for ``light`` or ``dark``."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._tell("Emulation.setEmulatedMedia", {"features": features})

    def look_at(self, width: int = 1200, scheme: str = "light", height: int = 1000) -> None:
        """Make the window this large, and ask for ``light`` or ``dark``."""
        self.prefer(scheme)
        self._post(f"{self._session}/window/rect", {"width": width, "height": height})

    def picture(self, file: Path, width: int, height: int) -> None:
        """The head of the page as PNG, this large."""
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        taken = self._tell("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        file.write_bytes(base64.b64decode(taken["data"]))

    def picture_of(self, file: Path, selector: str, number: int) -> None:
        """An element as PNG: the one of this number, from 0, that the CSS selector finds."""
        found = self._post(f"{self._session}/elements", {"using": "css selector", "value": selector})
        (element,) = found[number].values()
        taken = self._ask("GET", f"{self._session}/element/{element}/screenshot")
        file.write_bytes(base64.b64decode(taken))

    def close(self) -> None:
        """Close the window."""
        self._ask("DELETE", self._session)

    def _tell(self, command: str, values: dict[str, Any]) -> Any:
        """A command of the browser's own protocol."""
        return self._post(f"{self._session}/goog/cdp/execute", {"cmd": command, "params": values})

    def _post(self, path: str, body: Any) -> Any:
        try:
            return self._ask("POST", path, json.dumps(body))
        except AssertionError as error:
            # On a busy machine the driver may look for the page that it has just left.
            if "aborted by navigation" not in str(error):
                raise
            return self._ask("POST", path, json.dumps(body))

    def _ask(self, verb: str, path: str, body: str | None = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        try:
            connection.request(verb, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            value = json.load(answer)["value"]
        finally:
            connection.close()
        assert answer.status == 200, value
        return value


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser that is there for as long as the context."""
    with subprocess.Popen([DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as driver:
        try:
            assert driver.stdout is not None
            line = next(line for line in driver.stdout if _STARTED in line)
            port = int(line.partition(_STARTED)[2].strip().rstrip("."))
            found = Browser(port)
            found.start(folder / "profile")
            yield found
            found.close()
        finally:
            driver.terminate()
