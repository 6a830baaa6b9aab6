# SPDX-License-Identifier: Apache-2.0
"""OpenShift without nodes: the API server with KubeVirt's control plane and the platform's addons, in a thread."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from emulator.apiserver.server import ApiServer
from emulator.apiserver.users import ADMIN
from emulator.controlplane.profile import profile_for
from emulator.controlplane.run import run_control_plane
from emulator.fault_points import FaultPoints
from emulator.kube.errors import ApiError
from emulator.pace import Pace
from emulator.platforms.catalogue import registry_of
from emulator.platforms.platform import KUBERNETES, OPENSHIFT, Platform

from ..apiserver.harness import LiveApi, LiveServer, Obj

SPEED = 50.0
HOME = "openshift-cnv"
HCO = "hyperconvergeds.hco.kubevirt.io"
KUBEVIRT = "kubevirts.kubevirt.io"
VMS = "virtualmachines.kubevirt.io"
VERSIONS = {"hco.kubevirt.io": "v1beta1"}
JSONPATCH = "kubevirt.kubevirt.io/jsonpatch"


@contextmanager
def cluster(directory: Path, profile: str, platform: Platform = OPENSHIFT) -> Iterator[LiveApi]:
    """A cluster for the time of the block."""

    @asynccontextmanager
    async def beside(server: ApiServer) -> AsyncIterator[None]:
        version, pace = profile_for(profile), Pace(SPEED)
        plane = await run_control_plane(server, version, pace, FaultPoints(), platform=platform)
        try:
            yield
        finally:
            await plane.stop()

    server = LiveServer(
        directory, registry=registry_of(platform, profile_for(profile)), beside=beside, versions=VERSIONS
    )
    try:
        yield server.start()
    finally:
        server.stop()


def _fixture(profile: str, platform: Platform = OPENSHIFT) -> Any:
    def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
        with cluster(tmp_path_factory.mktemp("api"), profile, platform) as live:
            yield live

    return pytest.fixture(found, scope="module")


old = _fixture("1.7")
gate_off = _fixture("1.8")
gate_on = _fixture("1.8-gate")
new = _fixture("1.9")
plain = _fixture("1.9", KUBERNETES)


def until(live: LiveApi, resource: str, what: str, namespace: str, good: Callable[[Obj], bool]) -> Obj:
    """The first good object that a watch shows; ``what`` is a name or a field selector.

    AssertionError with the last one seen.
    """
    seen: Obj = {}
    fields = what if "=" in what else f"metadata.name={what}"

    async def wait() -> Obj:
        nonlocal seen
        client = live.api.server.client(ADMIN)
        items, since = await client.list(resource, namespace, fields=fields)
        for seen in items:
            if good(seen):
                return seen
        async for _, seen in client.watch(resource, namespace, since=since, fields=fields):
            if good(seen):
                return seen
        raise TimeoutError

    try:
        return dict(live.run(wait()))
    except TimeoutError:
        raise AssertionError(f"{resource} {what} did not get there; last: {seen}") from None


@contextmanager
def refused(code: int, message: str) -> Iterator[None]:
    with pytest.raises(ApiError) as error:
        yield
    assert (error.value.code, error.value.message) == (code, message)


@contextlib.contextmanager
def annotated(live: LiveApi, value: str) -> Iterator[Obj]:
    """HyperConverged with a jsonpatch annotation for the time of the block; then as it was before."""
    before = get(live, HCO, "kubevirt-hyperconverged", HOME)["metadata"].get("annotations", {}).get(JSONPATCH)
    annotate(live, value)
    try:
        yield get(live, HCO, "kubevirt-hyperconverged", HOME)
    finally:
        annotate(live, before)


def annotate(live: LiveApi, value: str | None) -> Obj:
    return patch(live, HCO, "kubevirt-hyperconverged", {"metadata": {"annotations": {JSONPATCH: value}}})


def patch(live: LiveApi, resource: str, name: str, change: Any, namespace: str = HOME) -> Obj:
    return dict(live.run(live.api.admin.patch(resource, name, namespace, change)))


def get(live: LiveApi, resource: str, name: str, namespace: str = "") -> Obj:
    return dict(live.run(live.api.admin.get(resource, name, namespace or None)))
