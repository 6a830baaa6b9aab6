# SPDX-License-Identifier: Apache-2.0
"""The node agent's process of an embedded cluster: ``python -m emulator.cluster_process.node_agent CONFIG``."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from pathlib import Path

from . import parent_death


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--ready-fd", type=int, required=True)
    arguments = parser.parse_args()
    parent_death.end_with_parent(arguments.parent, signal.SIGKILL)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")

    from ..dataplane.errors import DataPlaneError  # noqa: PLC0415 - PR_SET_PDEATHSIG is set before anything slow is imported
    from ..nodeagent.process import AgentOptions, serve  # noqa: PLC0415
    from .process_config import ProcessConfig  # noqa: PLC0415

    config = ProcessConfig.read(arguments.config)
    options = AgentOptions(
        kubeconfig=str(arguments.config.with_name("agent.kubeconfig")),
        nodes=config.options.node_names,
        speed=config.options.speed,
        platform=config.options.platform,
        defects=config.options.defects,
        dynamic_networks=config.options.dynamic_networks,
        tls_cert=str(config.certificates.handler_cert),
        tls_key=str(config.certificates.handler_key),
        tls_client_ca=str(config.certificates.stream_ca),
        lazy_guests=config.options.lazy_guests,
        ready_fd=arguments.ready_fd,
    )
    try:
        serve(options)
    except DataPlaneError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
