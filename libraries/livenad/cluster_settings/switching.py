# SPDX-License-Identifier: Apache-2.0
"""Cluster settings that a run changes temporarily. The patch that changes a value also saves the original.

The backup is an annotation of the changed resource with the id of the run. So the original value is restored even if
the run is killed: the next run that finds the backup of an aborted run restores it. It does not touch the backup of an
active run.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace

from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.history import History
from livenad.api.kinds import KUBEVIRT, Object, dig, meta
from livenad.api.progress import ticking
from livenad.api.recorder import Heartbeat, silent
from livenad.api.watch import WatchStream
from livenad.cluster.facts import ClusterFacts, KubeVirtFacts, kubevirt_facts, read_kubevirt
from livenad.cluster.settings_owner import known, owner_of
from livenad.cluster_settings.fields import Setting, change, check_value, undo, value_of, with_value
from livenad.errors import LabError, TestError
from livenad.ownership.active_runs import active_runs

NOTE = "kubevirt-nad-tests/former-settings"
"""Annotation with the backup: {"run", "namespace", "settings": {name: the backup of `fields.change`}}."""

_ATTEMPTS = 5
_EFFECT_SECONDS = 60.0


class ClusterSettings:
    """The settings of one cluster, changed by one run; ``namespace`` is that of the run's lease."""

    def __init__(self, cluster: Cluster, run_id: str, heartbeat: Heartbeat = silent) -> None:
        self._cluster = cluster
        self._run_id = run_id
        self._heartbeat = heartbeat
        self._switched: dict[Setting, str] = {}

    def value(self, setting: Setting) -> str:
        """The current value of a setting."""
        return value_of(setting, self._kubevirt())

    def switch(self, setting: Setting, value: str, namespace: str) -> str:
        """Set a value and wait until KubeVirt has it; returns the former value.

        Raises LabError when another active run has changed settings, or when the change does not take effect.
        """
        check_value(setting, value)
        for _ in range(_ATTEMPTS):
            self.restore_of_aborted_runs()
            kubevirt = self._kubevirt()
            was = value_of(setting, kubevirt)
            if was == value:
                return was
            owner = self._get_owner(kubevirt)
            note = backup_of(owner) or {"run": self._run_id, "namespace": namespace, "settings": {}}
            if note["run"] != self._run_id:
                raise LabError(f"run {note['run']} has changed settings of the cluster; wait until it has ended")
            if setting.name in note["settings"]:
                raise TestError(f"this suite has already changed {setting.name}; a suite can change a setting once")
            hco = owner if kubevirt.owned_by_hco else None
            patch, remembered = change(setting, value, kubevirt, hco)
            note["settings"][setting.name] = remembered
            if self._patch(kubevirt, owner, patch, note):
                self._await(kubevirt, {setting: value})
                self._switched[setting] = value
                return was
        raise LabError(f"{setting.name} could not be set: another client changed the resource at each attempt")

    def restore(self) -> list[str]:
        """Restore what this run changed; returns a remark for each setting that another client changed meanwhile."""
        self._switched.clear()
        return self._restore_of(self._run_id)

    def reverted(self) -> str:
        """Which settings of this run another client has changed, "" for none, or where they cannot be read."""
        if not self._switched:
            return ""
        try:
            kubevirt = self._kubevirt()
        except LabError:
            return ""
        found = [
            f"{setting.name} of {kubevirt.title}, which this run set to {value}, is {now} again"
            for setting, value in self._switched.items()
            if (now := value_of(setting, kubevirt)) != value
        ]
        return " and ".join(found)

    def restore_of_aborted_runs(self, *, dry_run: bool = False) -> list[str]:
        """Restore what an aborted run changed; returns a line for each setting, and for each that was not restored."""
        note = self.foreign_backup(read_kubevirt(self._cluster))
        if note is None or self._is_active(note):
            return []
        done = [
            f"{name} of the cluster from {kept['value']} to {kept['was']}, changed by the aborted run {note['run']}"
            for name, kept in note["settings"].items()
        ]
        return done if dry_run else done + self._restore_of(str(note["run"]))

    def foreign_backup(self, kubevirt: KubeVirtFacts | None) -> Object | None:
        """The backup of another run, active or aborted; None also without the right to read the resource."""
        if kubevirt is None or not kubevirt.name:
            return None
        try:
            note = backup_of(self._get_owner(kubevirt))
        except ApiError as error:
            if error.status not in (403, 404):
                raise
            return None
        return note if note is not None and note["run"] != self._run_id else None

    # -- the rest -----------------------------------------------------------------------------------------------

    def _restore_of(self, run_id: str) -> list[str]:
        for _ in range(_ATTEMPTS):
            kubevirt = self._kubevirt()
            owner = self._get_owner(kubevirt)
            note = backup_of(owner)
            if note is None or note["run"] != run_id:
                return []
            patch: Object = {}
            remarks: list[str] = []
            expected: dict[Setting, str] = {}
            current = owner
            for name, kept in reversed(note["settings"].items()):
                step, remark = undo(Setting[name], kept, current)
                patch, current = _merged(patch, step), _merged(current, step)
                remarks += [remark] if remark else []
                if step:
                    expected[Setting[name]] = str(kept["was"])
            if self._patch(kubevirt, owner, patch, None):
                self._await(kubevirt, expected)
                return remarks
        raise LabError(
            f"settings changed by run {run_id} could not be restored: another client changed "
            "the resource at each attempt"
        )

    def _kubevirt(self) -> KubeVirtFacts:
        return known(read_kubevirt(self._cluster))

    def _get_owner(self, kubevirt: KubeVirtFacts) -> Object:
        kind, name = owner_of(kubevirt)
        return kubevirt.source if kind is KUBEVIRT else self._cluster.get(kind, name, kubevirt.namespace)

    def _patch(self, kubevirt: KubeVirtFacts, owner: Object, patch: Object, note: Object | None) -> bool:
        """Send one merge patch with the backup; False when the resource has changed since it was read."""
        kind, name = owner_of(kubevirt)
        text = None if note is None else json.dumps(note, sort_keys=True)
        marked = {"metadata": {"resourceVersion": meta(owner, "resourceVersion"), "annotations": {NOTE: text}}}

        def applied() -> Object | None:
            found = self._cluster.get(kind, name, kubevirt.namespace)
            return found if meta(found, "annotations", {}).get(NOTE) == text else None

        try:
            self._cluster.request(
                "PATCH",
                kind.path(kubevirt.namespace, name),
                body=_merged(patch, marked),
                content_type="application/merge-patch+json",
                title=kind.title(kubevirt.namespace, name),
                carried_out=applied,
            )
        except ApiError as error:
            if error.status != 409:
                raise
            return False
        return True

    def _await(self, kubevirt: KubeVirtFacts, expected: dict[Setting, str]) -> None:
        """Wait until the KubeVirt resource has the values and KubeVirt is Deployed with them."""
        history = History()
        stream = WatchStream(self._cluster, history, KUBEVIRT, kubevirt.namespace)

        def missing() -> list[str]:
            item = history.current(KUBEVIRT, kubevirt.name)
            return ["the KubeVirt resource was not seen"] if item is None else _not_in_effect(item, expected)

        stream.start()
        try:
            stream.wait_synced(_EFFECT_SECONDS)
            with ticking(self._heartbeat, kubevirt.title, _EFFECT_SECONDS, lambda: ", ".join(missing())):
                history.wait(lambda: not missing(), time.monotonic() + _EFFECT_SECONDS)
        finally:
            stream.stop()
        if found := missing():
            raise LabError(
                f"{kubevirt.title}: a change of settings is not in effect after {_EFFECT_SECONDS:.0f} s: "
                f"{', '.join(found)}; see the conditions of KubeVirt, and of the HyperConverged if there is one"
            )

    def _is_active(self, note: Object) -> bool:
        run = str(note["run"])
        return run in active_runs(self._cluster, {run}, [str(note["namespace"])], self._heartbeat)


def backup_of(owner: Object) -> Object | None:
    """The backup of a run on the resource that it changed."""
    text = meta(owner, "annotations", {}).get(NOTE)
    if not text:
        return None
    try:
        note = json.loads(text)
        return {"run": str(note["run"]), "namespace": str(note["namespace"]), "settings": dict(note["settings"])}
    except (ValueError, KeyError, TypeError):
        raise LabError(f"annotation {NOTE} is invalid: {text}; correct the settings yourself and remove it") from None


def as_before(facts: ClusterFacts, note: Object) -> ClusterFacts:
    """The facts as they will be when an active run has restored the settings; other runs use these."""
    kubevirt = facts.kubevirt
    for name, kept in note["settings"].items():
        if kubevirt is not None:
            kubevirt = with_value(Setting[name], str(kept["was"]), kubevirt)
    return replace(facts, kubevirt=kubevirt)


def _not_in_effect(item: Object, expected: dict[Setting, str]) -> list[str]:
    facts = kubevirt_facts(item)
    found = [
        f"{setting.name} is {value_of(setting, facts)}, expected {value}"
        for setting, value in expected.items()
        if value_of(setting, facts) != value
    ]
    observed = dig(item, "status", "observedGeneration")
    if facts.phase != "Deployed":
        found.append(f"phase is {facts.phase}")
    elif observed is not None and observed < meta(item, "generation", 0):
        found.append("the change is not observed yet")
    return found


def _merged(one: Object, other: Object) -> Object:
    """A merge by RFC 7386 that keeps null, so that the result is still a patch."""
    merged = dict(one)
    for key, value in other.items():
        inner = merged.get(key)
        merged[key] = _merged(inner, value) if isinstance(value, dict) and isinstance(inner, dict) else value
    return merged
