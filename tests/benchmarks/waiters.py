# SPDX-License-Identifier: Apache-2.0
"""Three ways to wait for a condition: our keyword, openshift-python-wrapper, and ``kubectl wait``."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path
from typing import IO, Protocol

from tests.benchmarks.lab import OWN_SUITES, PYTHON, BenchmarkError, Lab, variables
from tests.benchmarks.peers.environment import HERE, peer_python
from tests.embedded import ROOT


class Waiter(Protocol):
    """``begin`` starts a wait; ``returned`` gives the monotonic clock at which it ended."""

    def begin(self, pod: str, condition: str) -> None: ...

    def returned(self) -> float: ...

    def close(self) -> None: ...


class _Asked:
    """A process that is asked by a line and answers by one."""

    process: subprocess.Popen[str]
    questions: IO[str]
    answers: IO[str]

    def begin(self, pod: str, condition: str) -> None:
        self.questions.write(f"{pod} {condition}\n")
        self.questions.flush()

    def returned(self) -> float:
        line = self.answers.readline()
        if not line:
            raise BenchmarkError(f"a process that waits ended: {self.process.args!r}")
        return float(line)

    def close(self) -> None:
        self.questions.close()
        self.process.wait(60)
        self.answers.close()


class Keyword(_Asked):
    """A keyword in a run of Robot; it also opens the namespace that all use."""

    def __init__(self, lab: Lab, kubeconfig: Path) -> None:
        folder = lab.new_folder("waits")
        pipes = folder / "questions", folder / "answers"
        for pipe in pipes:
            os.mkfifo(pipe)
        named = folder / "namespace"
        given = variables({"NAMESPACE_FILE": named, "QUESTIONS": pipes[0], "ANSWERS": pipes[1]})
        command = [PYTHON, "-m", "robot", "--outputdir", str(folder), "--console", "none", *given]
        command += ["--pythonpath", str(ROOT / "libraries"), "--pythonpath", str(ROOT), str(OWN_SUITES / "waits.robot")]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "KUBECONFIG": str(kubeconfig)}, text=True, stdout=subprocess.DEVNULL
        )
        self.questions = pipes[0].open("w", encoding="utf-8")
        self.answers = pipes[1].open(encoding="utf-8")
        self.namespace = named.read_text(encoding="utf-8")


class Wrapper(_Asked):
    """openshift-python-wrapper in a process of its own."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        command = [peer_python(), str(HERE / "wrapper_wait.py"), str(kubeconfig), namespace]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self.questions, self.answers = self.process.stdin, self.process.stdout


class Kubectl:
    """A ``kubectl wait`` each time, which is how it is used."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self._words = ["--kubeconfig", str(kubeconfig), "--namespace", namespace, "--timeout=60s"]
        self._ended: list[float] = []
        self._thread = threading.Thread()

    def begin(self, pod: str, condition: str) -> None:
        kubectl = str(Path(PYTHON).with_name("kubectl"))
        process = subprocess.Popen(
            [kubectl, "wait", f"pod/{pod}", f"--for=condition={condition}", *self._words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

        def watch() -> None:
            if process.wait() == 0:
                self._ended.append(time.monotonic())

        self._thread = threading.Thread(target=watch, daemon=True)
        self._thread.start()

    def returned(self) -> float:
        self._thread.join(90)
        if not self._ended:
            raise BenchmarkError("kubectl wait failed")
        return self._ended.pop()

    def close(self) -> None:
        """There is nothing to close."""
