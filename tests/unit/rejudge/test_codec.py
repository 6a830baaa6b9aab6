# SPDX-License-Identifier: Apache-2.0
"""Arguments of verdicts and states of objects, as JSON and back."""

from __future__ import annotations

import json
from ipaddress import ip_interface
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from livenad.errors import BadInput
from livenad.model import Nic, VmRecord
from livenad.reachability.samples import Sample, Series, Silence
from livenad.rejudge.codec import decode, encode
from livenad.rejudge.differences import applied, difference

from tests.unit.support.topology import LOGIN

LEAF = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
JSON = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), JSON, max_size=3)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(OBJECTS, OBJECTS)
def test_a_difference_makes_the_later_state_of_the_earlier(before: Any, now: Any) -> None:
    change = json.loads(json.dumps(difference(before, now)))
    assert applied(before, change) == now


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(OBJECTS)
def test_a_state_that_is_the_same_has_no_difference(state: Any) -> None:
    assert difference(state, state) == {}


@pytest.mark.parametrize(
    "value",
    [
        (1, "two", None, 3.5),
        frozenset({"b", "a"}),
        {("x", 1): [True]},
        Silence.HEARD,
        Series("vm", "peer", "10.0.0.2", "ICMP", (Sample(1.0, 1.5, answered=True),)),
        Nic("net1", "02:00", "blue", (ip_interface("10.0.0.1/24"), ip_interface("fd00::1/64"))),
    ],
)
def test_arguments_come_back_as_they_were(value: object) -> None:
    assert decode(json.loads(json.dumps(encode(value)))) == value


def test_credentials_and_manifests_of_a_vm_are_left_out() -> None:
    record = VmRecord("web", "demo", LOGIN, [], manifest={"spec": "userData"})
    text = json.dumps(encode(record))
    assert decode(json.loads(text)).login.private_key == decode(json.loads(text)).login.password == ""
    assert "userData" not in text
    assert decode(json.loads(text)).subject == "VM demo/web"


def test_a_type_from_elsewhere_is_neither_saved_nor_read() -> None:
    with pytest.raises(ValueError, match="cannot be saved"):
        encode(object())
    with pytest.raises(BadInput, match="is not a type of this version"):
        decode({"$": "subprocess:Popen", "args": ["true"]})
