# SPDX-License-Identifier: Apache-2.0
"""Requests that are forbidden to a VM owner, sent as dry runs."""

from __future__ import annotations

from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.kinds import MIGRATION, NAD, VM, Object
from livenad.errors import ProductFault
from livenad.ownership.naming import SuiteNamespace

_REFUSED_FOR_ITS_CONTENT = (400, 403, 404, 409, 422)
"""A 403 that is not for lack of a right comes from a rule on the content, which is asked after the rights."""


def refusal_of(client: Cluster, suite: SuiteNamespace, action: str, subject: str) -> str:
    """The error with which the API server forbids the action, "" when it allows it. ApiError for any other answer."""
    try:
        _request(client, suite, action, subject)
    except ApiError as error:
        if error.lacks_right:
            return str(error)
        if error.status not in _REFUSED_FOR_ITS_CONTENT:
            raise
    return ""


def judge_forbidden(owner: str, action: str, subject: str, refusal: str) -> str:
    """The API server forbade a VM owner an action; ``refusal`` is its error, "" for none."""
    if not refusal:
        raise ProductFault(f"VM owner {owner}: expected to be forbidden to {action} ({subject}), was allowed")
    return f"{owner} may not {action}: {refusal}"


def _request(client: Cluster, suite: SuiteNamespace, action: str, subject: str) -> None:
    dry = {"dryRun": "All"}
    if action == "create a migration object":
        spec = {"vmiName": subject if subject in suite.naming.adopted else suite.naming.real(subject)}
        body: Object = {"apiVersion": MIGRATION.api_version, "kind": MIGRATION.name, "spec": spec}
        body["metadata"] = {"generateName": "owner-", "namespace": suite.name}
        client.request("POST", MIGRATION.path(suite.name), query=dry, body=body, repeatable=True)
    elif action == "change a NAD":
        merge = "application/merge-patch+json"
        path = NAD.path(suite.name, suite.naming.real(subject))
        patch = {"metadata": {"labels": {"changed": "true"}}}
        client.request("PATCH", path, query=dry, body=patch, content_type=merge, repeatable=True)
    else:
        client.request("GET", VM.path(subject))
