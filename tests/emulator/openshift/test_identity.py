# SPDX-License-Identifier: Apache-2.0
"""What the cluster says of itself, and what plain Kubernetes does not have."""

from __future__ import annotations

import importlib
import json

import pytest
from kubernetes import client as typed_client
from kubernetes import config as typed_config

from emulator.controlplane.profile import PROFILES
from emulator.platforms.catalogue import addons_of, registry_of
from emulator.platforms.platform import KUBERNETES, OPENSHIFT, PLATFORMS, platform_for

from ..apiserver.harness import LiveApi
from .conftest import HOME

client = importlib.import_module(typed_client.__name__)
config = importlib.import_module(typed_config.__name__)
GROUPS = (
    "config.openshift.io",
    "hco.kubevirt.io",
    "networkaddonsoperator.network.kubevirt.io",
    "operators.coreos.com",
    "project.openshift.io",
    "route.openshift.io",
)


def test_kubectl_names_the_release(old: LiveApi) -> None:
    header, row = old.kubectl("get", "clusterversion").splitlines()
    assert header.split()[:4] == ["NAME", "VERSION", "AVAILABLE", "PROGRESSING"]
    assert row.split()[:4] == ["version", "4.21.8+embedded", "True", "False"]
    lines = old.kubectl("get", "co", "--no-headers").splitlines()
    assert [line.split()[0] for line in lines] == ["monitoring", "network"]


def test_each_profile_has_its_release() -> None:
    assert OPENSHIFT.releases.keys() == PROFILES.keys()
    assert OPENSHIFT.releases["1.8"] == OPENSHIFT.releases["1.8-gate"]


def test_objects_through_the_python_client(new: LiveApi) -> None:
    with config.new_client_from_config(str(new.kubeconfig)) as api_client:
        objects = client.CustomObjectsApi(api_client)
        where = ("config.openshift.io", "v1")
        version = objects.get_cluster_custom_object(*where, "clusterversions", "version")
        assert [entry["state"] for entry in version["status"]["history"]] == ["Completed"]
        assert version["status"]["desired"]["version"] == "4.23.0+embedded"
        infrastructure = objects.get_cluster_custom_object(*where, "infrastructures", "cluster")["status"]
        assert infrastructure["infrastructureTopology"] == infrastructure["controlPlaneTopology"] == "HighlyAvailable"
        network = objects.get_cluster_custom_object(*where, "networks", "cluster")["status"]
        assert (network["networkType"], network["clusterNetworkMTU"]) == ("OVNKubernetes", 1400)
        csvs = objects.list_namespaced_custom_object("operators.coreos.com", "v1alpha1", HOME, "clusterserviceversions")
        assert [(csv["metadata"]["name"], csv["status"]["phase"]) for csv in csvs["items"]] == [
            ("kubevirt-hyperconverged-operator.v4.23.0", "Succeeded")
        ]


def test_what_the_addons_are_known_by(new: LiveApi) -> None:
    daemons = new.kubectl("get", "ds", "-A", "-o", "jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} ")
    expected = {f"{HOME}/bridge-marker", f"{HOME}/kube-cni-linux-bridge-plugin", "openshift-multus/multus"}
    assert expected <= set(daemons.split())
    addons = json.loads(new.kubectl("get", "networkaddonsconfig", "cluster", "-o", "json"))
    assert addons["spec"]["kubeMacPool"] == {}
    assert "multusDynamicNetworks" not in addons["spec"]
    hooks = new.kubectl(
        "get", "mutatingwebhookconfiguration", "kubemacpool-mutator", "-o", "jsonpath={..webhooks[*].name}"
    )
    assert hooks.split() == ["mutatevirtualmachines.kubemacpool.io", "mutatepods.kubemacpool.io"]


def test_kubevirt_is_at_home_in_the_product_namespace(new: LiveApi) -> None:
    assert new.kubectl("get", "kubevirt", "-A", "-o", "name").split() == [
        "kubevirt.kubevirt.io/kubevirt-kubevirt-hyperconverged"
    ]
    assert "NotFound" in new.kubectl("get", "namespace", "kubevirt", fails=True)
    assert new.kubectl("get", "sa", "kubevirt-controller", "-n", HOME, "-o", "name")


def test_plain_kubernetes_has_none_of_it(plain: LiveApi) -> None:
    served = plain.kubectl("api-versions")
    assert [group for group in GROUPS if group in served] == []
    assert plain.kubectl("get", "kubevirt", "-A", "-o", "name").split() == ["kubevirt.kubevirt.io/kubevirt"]
    assert "doesn't have a resource type" in plain.kubectl("get", "projects", fails=True)


def test_groups_of_openshift(new: LiveApi) -> None:
    served = new.kubectl("api-versions")
    assert [group for group in GROUPS if group not in served] == []


def test_unknown_platform_is_told_in_one_line() -> None:
    with pytest.raises(ValueError, match=r"^no platform is called 'okd'; there are: kubernetes, openshift$"):
        platform_for("okd")


@pytest.mark.parametrize("profile", PROFILES)
def test_every_platform_has_parts_and_a_registry(profile: str) -> None:
    for platform in PLATFORMS.values():
        assert list(addons_of(platform)) or platform is KUBERNETES
        registered = {resource.key for resource in registry_of(platform, PROFILES[profile])}
        assert ("hyperconvergeds.hco.kubevirt.io" in registered) is (platform is OPENSHIFT)
