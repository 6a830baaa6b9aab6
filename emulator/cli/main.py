# SPDX-License-Identifier: Apache-2.0
"""Runs the command of the command line; every error ends in one line and an exit status."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from .parser import BAD_USAGE, build_parser
from .unexpected import BROKEN, UsageError, first_of, told

MANUAL = "docs/how-the-embedded-cluster-works.md"
NOTICED = Path(__file__).resolve().parents[1] / "defects" / "noticed.json"
"""Which scenarios of the test plan turn red by a defect; ``python -m tests.detection --noticed`` writes it."""


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status: 64 for bad input, 70 if the cluster fails in whatever way, otherwise that of the command."""
    arguments = build_parser().parse_args(argv)
    try:
        return COMMANDS[arguments.command](arguments)
    except UsageError as error:
        line, status = str(error), BAD_USAGE
    except Exception as error:
        # Without this it would end with 1, as a run that found the product at fault.
        line, status = told(error), BROKEN
    print(f"python -m emulator {arguments.command}: {line}", file=sys.stderr)
    return status


def _up(arguments: argparse.Namespace) -> int:
    from .cluster import up  # noqa: PLC0415 - each command imports only what it needs

    return up(arguments)


def _exec(arguments: argparse.Namespace) -> int:
    from .cluster import execute  # noqa: PLC0415

    return execute(arguments)


def _defects(_arguments: argparse.Namespace) -> int:
    from ..fault_points import all_defects  # noqa: PLC0415

    noticed = json.loads(NOTICED.read_text(encoding="utf-8"))
    try:
        for defect in all_defects().values():
            print(f"{defect.name}\n    {defect.sentence}")
            rows, scenarios = ", ".join(defect.rows) or "none", ", ".join(noticed.get(defect.name, [])) or "none"
            print(f"    fault: {defect.fault}; requirement rows: {rows}; noticed by: {scenarios}")
        sys.stdout.flush()
    except BrokenPipeError:
        # A pager or head has read enough; Python flushes once more at its end.
        sys.stdout = None
    return 0


def _clean(_arguments: argparse.Namespace) -> int:
    from ..cluster_process.state import StateError, remove_dead_clusters  # noqa: PLC0415

    try:
        removed = remove_dead_clusters()
    except StateError as error:
        print(f"python -m emulator clean: {error}", file=sys.stderr)
        return BROKEN
    print(f"removed the remains of {len(removed)} dead clusters" if removed else "nothing to remove")
    return 0


def _node_agent(arguments: argparse.Namespace) -> int:
    from ..dataplane.errors import DataPlaneError  # noqa: PLC0415
    from ..kube.errors import ApiError  # noqa: PLC0415
    from ..nodeagent.process import AgentOptions, serve  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    options = AgentOptions(
        kubeconfig=arguments.kubeconfig,
        context=arguments.context,
        nodes=tuple(arguments.node) or AgentOptions.nodes,
        speed=arguments.speed,
        platform=arguments.platform,
        defects=tuple(arguments.defect),
        dynamic_networks=arguments.dynamic_networks,
        connect_host=arguments.connect_host,
        tls_cert=arguments.tls_cert,
        tls_key=arguments.tls_key,
        tls_client_ca=arguments.tls_client_ca,
    )
    try:
        serve(options)
    except ValueError as error:
        raise UsageError(str(error)) from None
    except DataPlaneError as error:
        print(f"python -m emulator node-agent: {error}", file=sys.stderr)
        return BROKEN
    except Exception as error:
        refused = first_of(error)
        if not isinstance(refused, ApiError):
            raise
        said = f"the API server refused a request ({refused.code}): {refused.message}"
        print(f"python -m emulator node-agent: {said}; what the agent needs is in {MANUAL}", file=sys.stderr)
        return BROKEN
    return 0


COMMANDS = {"up": _up, "exec": _exec, "defects": _defects, "clean": _clean, "node-agent": _node_agent}
