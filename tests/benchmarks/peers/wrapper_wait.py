# SPDX-License-Identifier: Apache-2.0
"""A process that waits for conditions of pods by openshift-python-wrapper.

Reads ``pod condition`` a line, and prints the monotonic clock at which the wait returned. Runs in the peers'
environment.
"""

from __future__ import annotations

import sys
import time

from ocp_resources.pod import Pod
from ocp_resources.resource import get_client


def main(kubeconfig: str, namespace: str) -> None:
    client = get_client(config_file=kubeconfig)
    for line in sys.stdin:
        name, condition = line.split()
        Pod(client=client, name=name, namespace=namespace).wait_for_condition(
            condition=condition, status="True", timeout=60
        )
        print(time.monotonic(), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
