# SPDX-License-Identifier: Apache-2.0
"""The arguments of the command line."""

from __future__ import annotations

import argparse
from typing import NoReturn

from ..cluster_process.options import DEFAULT_KUBEVIRT, MOST_NODES
from ..platforms.platform import DEFAULT as DEFAULT_PLATFORM

BAD_USAGE = 64


class OneLineParser(argparse.ArgumentParser):
    """Reports an error in one line, without the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_USAGE, f"{self.prog}: {message}\n")


def build_parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog="python -m emulator",
        description="An embedded cluster, not a real one: KubeVirt's control plane, with guests in Linux namespaces.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=OneLineParser)
    up = commands.add_parser("up", help="start a cluster and keep it until Ctrl-C")
    _cluster(up)
    up.add_argument("--kubeconfig-out", metavar="FILE", help="write the kubeconfig to this file as well")
    execute = commands.add_parser("exec", help="run a command with KUBECONFIG set to a fresh cluster's")
    _cluster(execute)
    execute.add_argument("words", nargs=argparse.REMAINDER, metavar="-- CMD", help="the command and its arguments")
    commands.add_parser("defects", help="list the defects that can be switched on")
    commands.add_parser("clean", help="remove the remains of killed clusters (each start does so, too)")
    agent = commands.add_parser("node-agent", help="run the node agent alone against an API server that has the CRDs")
    agent.add_argument("--kubeconfig", required=True, metavar="FILE")
    agent.add_argument(
        "--context", default="", metavar="NAME", help="for components without a context of their own name"
    )
    agent.add_argument("--node", action="append", default=[], metavar="NAME", help="may be repeated; default two nodes")
    _pace_and_defects(agent)
    _platform(agent)
    agent.add_argument(
        "--connect-host",
        action="store_true",
        help="connect this machine to the pod network, so that a real virt-api reaches VMs for port-forwards; as root",
    )
    agent.add_argument("--tls-cert", default="", metavar="PEM", help="certificate of the stream endpoints")
    agent.add_argument("--tls-key", default="", metavar="PEM")
    agent.add_argument("--tls-client-ca", default="", metavar="PEM", help="authority of the clients' certificates")
    return parser


def _cluster(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kubevirt", default=DEFAULT_KUBEVIRT, metavar="VERSION", help="profile (%(default)s)")
    parser.add_argument("--nodes", type=_count, default=2, metavar="N", help="number of nodes (%(default)s)")
    _platform(parser)
    parser.add_argument(
        "--audit-log", default="", metavar="FILE", help="append every request to the API server to this file"
    )
    parser.add_argument(
        "--shortest-token",
        type=int,
        default=600,
        metavar="SECONDS",
        help="shortest lifetime of service account tokens (a real cluster's: %(default)s)",
    )
    parser.add_argument(
        "--lazy-guests",
        action="store_true",
        help="start a guest when something looks into it or sends it a frame: for hundreds of VMs on a small machine",
    )
    _pace_and_defects(parser)


def _platform(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--platform", default=DEFAULT_PLATFORM, metavar="NAME", help="kubernetes or openshift (%(default)s)"
    )
    parser.add_argument(
        "--dynamic-networks-controller",
        dest="dynamic_networks",
        action="store_true",
        help="run Multus' Dynamic Networks Controller, which plugs NICs into running pods",
    )


def _pace_and_defects(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--speed", type=_speed, default=5.0, metavar="X", help="divides the real control plane's delays (%(default)g)"
    )
    parser.add_argument(
        "--defect", action="append", default=[], metavar="NAME", help="defect to switch on; may be repeated"
    )


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_NODES:
        raise argparse.ArgumentTypeError(f"{text!r} given; expected a whole number from 1 to {MOST_NODES}")
    return int(text)


def _speed(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} given; expected a number above 0 and up to 1000, such as 5")
    return value
