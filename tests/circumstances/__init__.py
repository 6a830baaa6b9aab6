# SPDX-License-Identifier: Apache-2.0
"""Circumstances: what may befall a run on a real cluster or machine, each tried by a test that carries its mark.

    @pytest.mark.circumstance("a quota forbids the pod", topic="rules", sees="exceeded quota", verdict="LAB ERROR",
                              source="https://...")

``sees`` is what the user is shown, in parts that "..." keeps apart; "" with verdict PASS: nothing. The test has each
part in a text of its own, or asserts them by fixture ``sees``. ``python -m tests.circumstances`` writes the page.
"""
