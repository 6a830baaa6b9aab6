"""The networks of a run: made for a suite's namespace, and given back when its guests are gone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.kinds import NAD, NAMESPACE, Object, meta
from livenad.api.recorder import Heartbeat, Recorder, silent
from livenad.cluster.capabilities import Capabilities
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
    """Keeps what was leased and made for the networks of one run. Used by the keywords' thread alone."""

    def __init__(
        self,
        client: Cluster,
        settings: Settings,
        created: CreatedResources,
        capabilities: Capabilities,
        *,
        namespaces: list[str],
        heartbeat: Heartbeat = silent,
    ) -> None:
        """``namespaces`` are those that the run made; the list grows while the run goes on."""
        self._client = client
        self._settings = settings
        self._created = created
        self._capabilities = capabilities
        self._run_id = created.run_id
        self.book = LeaseBook(client, created.lease, created.run_id, settings.lease_namespace, settings.namespace)
        self.lock = SuiteLock(self.book, settings.lease_timeout, heartbeat)
        self.pool = VlanPool(self.book, settings.vlans)
        self.backends = NetworkBackends(self.book, settings, heartbeat)
        self._heartbeat = heartbeat
        self._life = lease_name("run", created.run_id)
        self._made: dict[str, Segment] = {}
        self._names: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._cluster_networks: list[str] = []
        self._namespaces = namespaces
        self._open: SuiteNamespace | None = None

    @property
    def used(self) -> bool:
        """Whether a suite has begun, so that something may have to be given back."""
        return self.book.holds(self._life)

    def begin_suite(self, *, exclusive: bool) -> None:
        """Wait until a suite may begin beside those of other runs, and announce it to all of them."""
        if not self.book.holds(self._life):
            self.book.remove_expired()
            self.book.take(self._life, RUN, "a run that lives")
        if exclusive:
            self.lock.alone()
        else:
            self.lock.share()
        self._sweep()

    def enter(self, namespace: SuiteNamespace) -> None:
        """Networks are made for the suite in this namespace from now on."""
        self._open = namespace

    def leave_networks(self, recorder: Recorder | None) -> list[str]:
        """Before a suite's namespace goes: remove what would keep it from going; a line for each thing that stays.

        A ClusterUserDefinedNetwork cannot go before the last launcher pod, nor its namespace before it.
        """
        names, self._cluster_networks = self._cluster_networks, []
        if not names:
            return []
        within = self._settings.network_timeout
        try:
            stay = self._open.naming.adopted if self._open else ()
            left = await_guests_gone(recorder, within, stay) if recorder is not None else []
            return left + remove_networks(self._client, names, within, self._heartbeat)
        except LabError as error:
            return [f"networks {', '.join(names)} may still be there: {error}"]

    def end_suite(self) -> None:
        """Let suites of other runs begin. The VLANs stay ours while guests may still be on them."""
        self._made.clear()
        self._names.clear()
        self._told.clear()
        self._open = None
        self.lock.leave()

    def create(self, name: str, place: Place, vlan_of: str, namespace: str) -> str:
        """Lease a VLAN and make a network on it in ``namespace``; gives what it is, in words.

        ``vlan_of`` is a network of this suite (``name`` or ``namespace/name``) whose VLAN is to be used.
        """
        if place is not Place.bridge:
            self._capabilities.require("localnet" if place is Place.localnet else "second-bridge")
        carrier, real = self.backends.get(place), self._suite.naming.real(name)
        segment = self._segment(carrier, vlan_of)
        if carrier.technique is Technique.localnet and self._settings.localnet_api == "cudn":
            self._create_cluster_network(name, namespace, carrier, segment)
        elif carrier.technique is Technique.localnet:
            nad = localnet_nad(real, namespace, carrier.name, segment.vlan, network=f"{namespace}-{real}")
            self._created.create(NAD, nad)
        else:
            self._created.create(NAD, bridge_nad(real, namespace, carrier.name, segment.vlan, carrier.resource))
        self._made[f"{namespace}/{name}"] = segment
        told = f"{carrier.technique.value} {carrier.name}, VLAN {segment.vlan}"
        self._told[f"{namespace}/{self._names.get(f'{namespace}/{name}', real)}"] = told
        return told

    def told(self, network: str) -> str:
        """What the network of a NAD is, in words; "" for a network that this run did not make."""
        return self._told.get(network if "/" in network else f"{self._suite.name}/{network}", "")

    def real_name(self, network: str) -> str:
        """Name of the NAD of a network that a suite names ``name`` or ``namespace/name``."""
        place, _, name = network.rpartition("/")
        if place in ("", self._suite.name):
            name = self._suite.naming.real(name)
        real = self._names.get(network if place else f"{self._suite.name}/{name}", name)
        return f"{place}/{real}" if place else real

    def made_here(self) -> list[str]:
        """The networks of the open suite, as ``name`` or ``namespace/name``."""
        home = f"{self._suite.name}/"
        return [name.removeprefix(home) for name in self._made]

    def node_affinity(self, nodes: Sequence[str]) -> Object | None:
        """What keeps the guests of this run together on one of these nodes, where networks end there; else None."""
        if self._settings.node_network != NODE_LOCAL or not nodes:
            return None
        chosen = nodes[int(hashlib.sha256(self._run_id.encode()).hexdigest(), 16) % len(nodes)]
        rule = {"key": "metadata.name", "operator": "In", "values": [chosen]}
        preferred = {"weight": 100, "preference": {"matchFields": [rule]}}
        return {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [preferred]}}

    def close(self) -> list[str]:
        """Give everything back at the end of the run, whose namespaces are gone; a line for what stays."""
        left = []
        for give_back in (self.lock.leave, self._remove_carriers, self._sweep, self._end_run):
            try:
                left += give_back() or []
            except LabError as error:
                left.append(str(error))
        return left

    def _remove_carriers(self) -> list[str]:
        return self.backends.remove()

    def _create_cluster_network(self, name: str, namespace: str, carrier: NetworkBackend, segment: Segment) -> None:
        """Its NAD has its name, which must be the only one on the cluster."""
        naming = self._suite.naming
        real = naming.real(name)
        if not naming.suffix:
            real = f"{name}-{namespace.removeprefix(self._settings.namespace_prefix + '-')}"
        body = mark(localnet_cudn(real, namespace, carrier.name, segment.vlan), self._run_id, self.book.namespace)
        self._cluster_networks.append(real)
        self._client.create(CLUSTER_NETWORK, body)
        await_created(self._client, real, namespace, self._settings.network_timeout, self._heartbeat)
        self._names[f"{namespace}/{name}"] = real

    def _end_run(self) -> None:
        if self.book.holds(self._life):
            self.book.give_back(self._life)

    def _segment(self, carrier: NetworkBackend, vlan_of: str) -> Segment:
        home, scope = self._suite.name, self._suite.scope
        if vlan_of:
            known = self._made.get(vlan_of if "/" in vlan_of else f"{home}/{vlan_of}")
            if known is None:
                listed = ", ".join(self._made) or "none"
                raise TestError(f'vlan_of="{vlan_of}" is no network of this suite; `Create Network` made: {listed}')
            return self.pool.lease_same(carrier.pool, known.vlan, scope)
        try:
            return self.pool.lease(carrier.pool, scope)
        except PoolExhausted:
            self._await_other_suites()
            self._sweep()
            return self.pool.lease(carrier.pool, scope)

    def _await_other_suites(self) -> None:
        """Wait until the guests of our earlier suites are gone, with their namespaces where they had some."""
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

    def _sweep(self) -> None:
        """Give back the VLANs of suites whose namespaces, or guests, are gone."""
        if self.pool.is_used:
            there = self._staying()
            self.pool.give_back(lambda scope: scope not in there)

    def _staying(self) -> set[str]:
        """Our suites that still have their namespace; in a given one those with guests, and the open one."""
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
