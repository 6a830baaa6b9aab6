"""The node agent's process of an embedded cluster: ``python -m emulator.lab.nodes PLAN``."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from pathlib import Path

from . import tether


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("plan", type=Path)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--ready-fd", type=int, required=True)
    arguments = parser.parse_args()
    tether.tie(arguments.parent, signal.SIGKILL)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")

    from ..dataplane.model import DataPlaneError  # noqa: PLC0415 - tied to the parent before anything slow is imported
    from ..nodeagent.process import AgentOptions, serve  # noqa: PLC0415
    from .plan import Plan  # noqa: PLC0415

    plan = Plan.read(arguments.plan)
    options = AgentOptions(
        kubeconfig=str(arguments.plan.with_name("agent.kubeconfig")),
        nodes=plan.options.node_names,
        speed=plan.options.speed,
        platform=plan.options.platform,
        defects=plan.options.defects,
        dynamic_networks=plan.options.dynamic_networks,
        tls_cert=str(plan.certificates.handler_cert),
        tls_key=str(plan.certificates.handler_key),
        tls_client_ca=str(plan.certificates.stream_ca),
        ready_fd=arguments.ready_fd,
    )
    try:
        serve(options)
    except DataPlaneError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
