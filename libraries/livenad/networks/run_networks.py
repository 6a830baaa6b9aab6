# SPDX-License-Identifier: Apache-2.0
"""The networks of a run: created for a suite's namespace, and released when its guests are gone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.kinds import NAD, NAMESPACE, Object, meta
from livenad.api.recorder import Heartbeat, Recorder, silent
from livenad.cluster.capabilities import Capabilities
from livenad.cluster.nodes import NodeFacts
from livenad.errors import LabError, TestError
from livenad.networks.attachment import NetworkBackend, Place, Technique
from livenad.networks.backends import NODE_LOCAL, NetworkBackends
from livenad.networks.cudn import (
    CLUSTER_NETWORK,
    await_created,
    await_guests_gone,
    localnet_cudn,
    remove_networks,
)
from livenad.networks.leasebook import RUN, LeaseBook, lease_name
from livenad.networks.nad_manifests import bridge_nad, localnet_nad
from livenad.networks.suite_lock import SuiteLock
from livenad.networks.vlan_pool import PoolExhausted, Segment, VlanPool
from livenad.ownership.created_resources import CreatedResources
from livenad.ownership.labels import RUN_LABEL, mark
from livenad.ownership.naming import SuiteNamespace
from livenad.ownership.removal import await_gone, await_no_guests, scopes_with_guests
from livenad.settings import Settings

_REMOVAL_SECONDS = 120.0


class RunNetworks:
    """The leases and networks of one run. Not thread-safe: only the keywords' thread uses it."""

    def __init__(
        self,
        client: Cluster,
        settings: Settings,
        created: CreatedResources,
        capabilities: Capabilities,
        *,
        namespaces: list[str],
        heartbeat: Heartbeat = silent,
        nodes: Callable[[], NodeFacts | None] = lambda: None,
    ) -> None:
        """``namespaces`` are those that the run created; the list grows during the run. ``nodes`` are
        those of the cluster, None where they may not be listed.
        """
        self._client = client
        self._settings = settings
        self._created = created
        self._capabilities = capabilities
        self._run_id = created.run_id
        self.book = LeaseBook(client, created.lease, created.run_id, settings.lease_namespace, settings.namespace)
        self.lock = SuiteLock(self.book, settings.lease_timeout, heartbeat)
        self.pool = VlanPool(self.book, settings.vlans)
        self.backends = NetworkBackends(self.book, settings, heartbeat, nodes)
        self._heartbeat = heartbeat
        self._life = lease_name("run", created.run_id)
        self._made: dict[str, Segment] = {}
        self._names: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._cluster_networks: dict[str, str] = {}
        self._namespaces = namespaces
        self._open: SuiteNamespace | None = None

    @property
    def used(self) -> bool:
        """Whether a suite has begun, so that there may be leases to release."""
        return self.book.holds(self._life)

    def begin_suite(self, *, exclusive: bool) -> None:
        """Wait until the suites of other runs allow a suite to begin, and take its lease."""
        if not self.book.holds(self._life):
            self.book.remove_expired()
            self.book.take(self._life, RUN, "an active run")
        if exclusive:
            self.lock.alone()
        else:
            self.lock.share()
        self._release_unused()

    def enter(self, namespace: SuiteNamespace) -> None:
        """From now on, create networks for the suite in this namespace."""
        self._open = namespace

    def leave_networks(self, recorder: Recorder | None) -> list[str]:
        """Remove what would block the removal of a suite's namespace; returns a line for each object that remains.

        A ClusterUserDefinedNetwork is removed only after the last launcher pod, and its namespace only after it.
        """
        networks, self._cluster_networks = self._cluster_networks, {}
        if not networks:
            return []
        within = self._settings.network_timeout
        try:
            stay = self._open.naming.adopted if self._open else ()
            left = await_guests_gone(recorder, within, stay) if recorder is not None else []
            return left + remove_networks(self._client, networks, within, self._heartbeat)
        except LabError as error:
            return [f"networks {', '.join(networks)} may still exist: {error}"]

    def end_suite(self) -> None:
        """Let suites of other runs begin. The VLANs stay leased while guests may still use them."""
        self._made.clear()
        self._names.clear()
        self._told.clear()
        self._open = None
        self.lock.leave()

    def create(self, name: str, place: Place, vlan_of: str, namespace: str) -> str:
        """Lease a VLAN and create a network on it in ``namespace``; returns a description.

        ``vlan_of`` is a network of this suite (``name`` or ``namespace/name``) whose VLAN is used instead.
        """
        if place is not Place.bridge:
            self._capabilities.require("localnet" if place is Place.localnet else "second-bridge")
        backend, real = self.backends.get(place), self._suite.naming.real(name)
        segment = self._segment(backend, vlan_of)
        if backend.technique is Technique.localnet and self._settings.localnet_api == "cudn":
            self._create_cluster_network(name, namespace, backend, segment)
        elif backend.technique is Technique.localnet:
            nad = localnet_nad(real, namespace, backend.name, segment.vlan, network=f"{namespace}-{real}")
            self._created.create(NAD, nad)
        else:
            self._created.create(NAD, bridge_nad(real, namespace, backend.name, segment.vlan, backend.resource))
        self._made[f"{namespace}/{name}"] = segment
        told = f"{backend.technique.value} {backend.name}, VLAN {segment.vlan}"
        self._told[f"{namespace}/{self._names.get(f'{namespace}/{name}', real)}"] = told
        return told

    def told(self, network: str) -> str:
        """What the network of a NAD is, in words; "" for a network that this run did not make."""
        return self._told.get(network if "/" in network else f"{self._suite.name}/{network}", "")

    def real_name(self, network: str) -> str:
        """The name of the NAD of a suite's network ``name`` or ``namespace/name``."""
        place, _, name = network.rpartition("/")
        if place in ("", self._suite.name):
            name = self._suite.naming.real(name)
        real = self._names.get(network if place else f"{self._suite.name}/{name}", name)
        return f"{place}/{real}" if place else real

    def made_here(self) -> list[str]:
        """The networks of the open suite, as ``name`` or ``namespace/name``."""
        home = f"{self._suite.name}/"
        return [name.removeprefix(home) for name in self._made]

    def node_affinity(self, nodes: NodeFacts | None) -> Object | None:
        """The affinity that keeps guests on nodes that take them over, and co-locates them on node-local networks.

        None where nothing keeps them anywhere, or the nodes are not known.
        """
        if nodes is None:
            return None
        affinity: Object = {}
        if required := nodes.required_affinity():
            affinity["requiredDuringSchedulingIgnoredDuringExecution"] = required
        names = nodes.fit or nodes.usable
        if self._settings.node_network == NODE_LOCAL and names:
            chosen = names[int(hashlib.sha256(self._run_id.encode()).hexdigest(), 16) % len(names)]
            rule = {"key": "metadata.name", "operator": "In", "values": [chosen]}
            preferred = {"weight": 100, "preference": {"matchFields": [rule]}}
            affinity["preferredDuringSchedulingIgnoredDuringExecution"] = [preferred]
        return {"nodeAffinity": affinity} if affinity else None

    def close(self) -> list[str]:
        """Release everything at the end of the run, after its namespaces; returns a line for what remains."""
        left = []
        for give_back in (self.lock.leave, self._remove_backends, self._release_unused, self._end_run):
            try:
                left += give_back() or []
            except LabError as error:
                left.append(str(error))
        return left

    def _remove_backends(self) -> list[str]:
        return self.backends.remove()

    def _create_cluster_network(self, name: str, namespace: str, backend: NetworkBackend, segment: Segment) -> None:
        """The NAD has the same name, which must be unique on the cluster."""
        naming = self._suite.naming
        real = naming.real(name)
        if not naming.suffix:
            real = f"{name}-{namespace.removeprefix(self._settings.namespace_prefix + '-')}"
        body = mark(localnet_cudn(real, namespace, backend.name, segment.vlan), self._run_id, self.book.namespace)
        stored = self._client.create(CLUSTER_NETWORK, body)
        self._cluster_networks[real] = str(meta(stored, "uid"))
        await_created(self._client, real, namespace, self._settings.network_timeout, self._heartbeat)
        self._names[f"{namespace}/{name}"] = real

    def _end_run(self) -> None:
        if self.book.holds(self._life):
            self.book.give_back(self._life)

    def _segment(self, backend: NetworkBackend, vlan_of: str) -> Segment:
        home, scope = self._suite.name, self._suite.scope
        if vlan_of:
            known = self._made.get(vlan_of if "/" in vlan_of else f"{home}/{vlan_of}")
            if known is None:
                listed = ", ".join(self._made) or "none"
                raise TestError(
                    f'vlan_of="{vlan_of}" is not a network of this suite; `Create Network` created: {listed}'
                )
            return self.pool.lease_same(backend.pool, known.vlan, scope)
        try:
            return self.pool.lease(backend.pool, scope)
        except PoolExhausted:
            self._await_other_suites()
            self._release_unused()
            return self.pool.lease(backend.pool, scope)

    def _await_other_suites(self) -> None:
        """Wait until the guests of earlier suites of this run are gone, with their namespaces if they had any."""
        home = self._suite.name
        if self._settings.namespace:
            await_no_guests(self._client, home, self._run_id, _REMOVAL_SECONDS, but=self._suite.scope)
        else:
            going = [name for name in self._namespaces if name != home and not name.startswith(f"{home}-")]
            await_gone(self._client, going, _REMOVAL_SECONDS)

    @property
    def _suite(self) -> SuiteNamespace:
        if self._open is None:
            raise TestError("no test namespace is open; call `Open Test Namespace` first")
        return self._open

    def _release_unused(self) -> None:
        """Release the VLANs of suites whose namespaces, or guests, are gone."""
        if self.pool.is_used:
            there = self._remaining()
            self.pool.give_back(lambda scope: scope not in there)

    def _remaining(self) -> set[str]:
        """The suites of this run whose namespace exists; in a shared namespace, those with guests and the open one."""
        if self._settings.namespace:
            return scopes_with_guests(self._client, self._settings.namespace, self._run_id) | (
                {self._open.scope} if self._open else set()
            )
        try:
            listed = self._client.list(NAMESPACE, labels=f"{RUN_LABEL}={self._run_id}").items
        except ApiError as error:
            if error.status == 403:
                return set(self._namespaces)
            raise
        return {str(meta(item, "name")) for item in listed}
