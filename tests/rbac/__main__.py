# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.rbac``: every lane with exactly the published roles; ``--write`` records again and writes them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.embedded import ROOT
from tests.rbac.calls import RECORDED, Call, read_calls, recorded, write_calls
from tests.rbac.lanes import LANES, Lane, Outcome, run_lane
from tests.rbac.roles import FOLDER, Role, read_roles

CALLS = "calls.json"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rbac", description=__doc__)
    parser.add_argument("--write", action="store_true", help="run as the administrator and write docs/rbac")
    parser.add_argument("--lane", default="", metavar="WORDS", help="only lanes whose names have these words")
    parser.add_argument("--resume", action="store_true", help="leave out lanes that were right in this folder")
    parser.add_argument("--folder", type=Path, default=ROOT / "results/rbac", help="where the runs leave their files")
    arguments = parser.parse_args()
    roles = read_roles()
    seen: set[Call] = set()
    wrong: list[str] = []
    lanes = [lane for lane in LANES if arguments.lane in lane.name]
    for number, lane in enumerate(LANES):
        if lane not in lanes:
            continue
        as_admin = arguments.write and not lane.less
        folder = arguments.folder / f"{number}-{'admin' if as_admin else 'roles'}"
        if not (arguments.resume and (folder / CALLS).exists()):
            chosen = None if as_admin else [roles[name].less(lane.less) for name in lane.roles]
            outcome = run_lane(lane, folder, chosen)
            found = mistakes(lane, outcome, chosen or [])
            print(f"{lane.name}: {len(outcome.audit.all)} kinds of calls; {outcome.run.judgement.word}", flush=True)
            wrong += found
            if not found:
                write_calls(folder / CALLS, outcome.audit.all)
            seen |= outcome.audit.all
        else:
            seen |= read_calls(folder / CALLS)
    if arguments.write:
        kept = seen if lanes == list(LANES) else seen | recorded()
        write_calls(RECORDED, kept)
        wrong += differences(kept, roles)
        for role in roles.values():
            (FOLDER / f"{role.name}.yaml").write_text(role.text(), encoding="utf-8")
    else:
        wrong += [f"new: {call}" for call in sorted(seen - recorded())]
        if lanes == list(LANES):
            wrong += [f"not called any more: {call}" for call in sorted(recorded() - seen)]
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


def mistakes(lane: Lane, outcome: Outcome, roles: list[Role]) -> list[str]:
    """Red tests of a lane that is meant to be green, and calls that its roles ought to allow and were refused."""
    found = []
    reds = [one for one in outcome.run.outcomes.values() if one.verdict not in ("PASS", "SKIP")]
    if bool(reds) != lane.red:
        found += [f"{lane.name}: {one.name}: {one.message}" for one in reds] or [f"{lane.name}: nothing is red"]
    meant = {call for role in roles for call in role.calls()}
    found += [f"{lane.name}: refused: {call}" for call in sorted(outcome.audit.refused & meant)]
    return found


def differences(calls: set[Call] | frozenset[Call], roles: dict[str, Role]) -> list[str]:
    """Calls without a reason, and reasons without a call."""
    published = {call for role in roles.values() for call in role.calls()}
    return [f"no reason for {call}; give one in tests/rbac/reasons.yaml" for call in sorted(calls - published)] + [
        f"no run calls {call}; take it out of tests/rbac/reasons.yaml" for call in sorted(published - calls)
    ]


if __name__ == "__main__":
    sys.exit(main())
