# SPDX-License-Identifier: Apache-2.0
"""What differs between two runs becomes a placeholder; words, names and deadlines stay."""

from __future__ import annotations

import pytest

from tests.baseline.normalise import normalised


@pytest.mark.parametrize(
    ("message", "normal"),
    [
        (
            "VM nad-swap-yzf7hm-1/vm-under-test: expected to be complete within 15 s, is not after 1 min 24.5 s",
            "VM nad-swap-<id>/vm-under-test: expected to be complete within 15 s, is not after <time>",
        ),
        ("within 24 s no migration has Succeeded", "within <time> no migration has Succeeded"),
        ("pod virt-launcher-vm-under-test-g5wgd on embedded-2", "pod virt-launcher-vm-under-test-<id> on embedded-<n>"),
        ("kubevirt-workload-update-p6c8r is Failed", "kubevirt-workload-update-<id> is Failed"),
        ("many-2 of 6: there are 4", "many-<n> of <n>: there are <n>"),
        ("address 10.10.0.10/24 of net1", "address <ip>/<n> of net1"),
        ("['10.10.0.10', 'fe80::38:82ff:feda:bdea']", "['<ip>', '<ip>']"),
        ("route fe80::/64, gateway fd00::1: gone", "route <ip>/<n>, gateway <ip>: gone"),
        ("MAC was 02:c3:63:98:06:b8", "MAC was <mac>"),
        ("boot id was 770f34cf-6e37-41c0-9995-9d6ea0dc98fc", "boot id was <uid>"),
        ("since 2025-01-02T03:04:05.678Z, at 03:04:05", "since <when>, at <when>"),
        ("resourceVersion 4711 of /tmp/pytest-1/x.json", "resourceVersion <n> of <path>"),
        ("https://127.0.0.1:45277: 403 Forbidden", "https://<ip>:<port>: 403 Forbidden"),
        ("the API answered 500 no such thing", "the API answered 500 no such thing"),
        ("0 of 126 answered", "none of <n> answered"),
        ("15 of 15 answered, 3 of 15 answered", "some of <n> answered, some of <n> answered"),
    ],
)
def test_what_varies_is_replaced(message: str, normal: str) -> None:
    assert normalised(message) == normal


@pytest.mark.parametrize(
    "message",
    [
        "",
        'NIC "secondary" from "old-network" to "new-network": RestartRequired=True (PausedByUser)',
        "interface podc0f69e19ba2 of k8s.v1.cni.cncf.io/networks: PATCH /apis/kubevirt.io/v1/virtualmachines",
        "the non-live-updatable field: expected x::y, not c: d",
    ],
)
def test_words_stay(message: str) -> None:
    assert normalised(message) == message


def test_a_normal_message_stays_as_it_is() -> None:
    once = normalised("VM nad-swap-abc123-1/vm on embedded-1 (10.10.0.10): 3 of 4 answered after 3.0 s; 7 % of 9 lost")
    assert normalised(once) == once
