"""c. A command in a guest: over the standing sessions, and the peers' way."""

from __future__ import annotations

from tests.benchmarks.figures import Figure, Ratio, figure, ratio
from tests.benchmarks.lab import OWN_SUITES, Lab, variables


def measure(lab: Lab) -> tuple[list[Figure], list[Ratio]]:
    """Round trips of ``echo``, on one guest."""
    given = variables({"COUNT": lab.count(200), "PEERS_COUNT": lab.count(30)})
    with lab.cluster() as kubeconfig:
        measured = lab.robot(kubeconfig, "commands", *given, suites=OWN_SUITES / "commands.robot").measured()
    ssh, ssh_peer, console_peer, console = figures = [
        figure("c", name, "ms", (value * 1000 for value in seconds)) for name, seconds in measured.items()
    ]
    return figures, [
        ratio("SSH: the peers' command to ours", ssh_peer, ssh, better="higher"),
        ratio("console: the peers' command to ours", console_peer, console, better="higher"),
    ]
