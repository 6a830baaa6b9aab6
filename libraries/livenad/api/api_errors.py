# SPDX-License-Identifier: Apache-2.0
"""What an API server's refusal, or its silence, means: one line that names the object, the server and the remedy."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from livenad.api.connection import bare
from livenad.api.kinds import Object, dig
from livenad.api.refusals import remedy_of
from livenad.errors import LabError, Unreachable

if TYPE_CHECKING:
    from livenad.api.connection import Connection


class ApiError(LabError):
    """The API server refused a request. ``status`` is the HTTP status, ``reason`` the Status object's reason.

    ``sender`` is the source of the credentials with which it was sent. ``lacks_right``: the sender has no right to it;
    a 403 may also come from a quota, or from a rule of the cluster on what is sent.
    """

    def __init__(
        self, message: str, status: int, reason: str = "", *, sender: str = "", lacks_right: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.sender = sender
        self.lacks_right = lacks_right


class Lost:
    """A request without an answer, given up after ``seconds``."""

    def __init__(self, error: Exception, seconds: float) -> None:
        self.error = error
        self.seconds = seconds

    @property
    def maybe_carried_out(self) -> bool:
        """Whether the server may have carried it out: always, once a connection stood."""
        return not isinstance(self.error, NewConnectionError | ConnectTimeoutError | ProxyError | SSLError)

    @property
    def final(self) -> bool:
        """Whether trying again is pointless: the certificate will not get better, nor a name that does not exist."""
        return isinstance(self.error, SSLError | ssl.SSLError)


def explain_failure(lost: Lost, what: str, connection: Connection) -> Unreachable:
    """A request without an answer, as one line."""
    error, proxy = lost.error, connection.proxy_to(connection.server)
    if isinstance(error, SSLError | ssl.SSLError):
        why = f"TLS failed: {error}"
        remedy = _remedy_of_tls(str(error))
    elif of_proxy := _error_of_proxy(error, proxy):
        why = f"the proxy {bare(proxy)} {_of_proxy(of_proxy, lost)}"
        remedy = "check proxy-url, HTTPS_PROXY and NO_PROXY"
    elif isinstance(error, NameResolutionError):
        why, remedy = "its name cannot be resolved", "check the server's name in the kubeconfig and your DNS or VPN"
    elif isinstance(error, NewConnectionError):
        why = "connection refused or no route"
        remedy = "check that the cluster runs and that the kubeconfig is of this cluster"
    elif isinstance(error, ConnectTimeoutError):
        why = f"silent: no connection within {lost.seconds:.0f} s, the look-up of its name included"
        remedy = "check network, DNS, VPN and proxy-url"
    elif isinstance(error, ReadTimeoutError):
        why = f"connected, but silent: no answer within {lost.seconds:.0f} s"
        remedy = "check the API server's health, and what lies between: a balancer, a proxy, a VPN"
    else:
        why, remedy = f"the connection broke: {error}", "check network and API server"
    return Unreachable(
        f"cannot reach API server {connection.server} ({connection.source}): {why}; last request: {what}; {remedy}"
    )


def _of_proxy(error: BaseException, lost: Lost) -> str:
    """What is wrong with the proxy; ``socket_err`` of a SOCKS error is what came of the connection to it."""
    cause = getattr(error, "socket_err", None) or error
    if isinstance(cause, NameResolutionError | socket.gaierror):
        return "cannot be reached: its name cannot be resolved"
    if isinstance(cause, NewConnectionError | ConnectionError):
        return "cannot be reached: connection refused or no route"
    if isinstance(cause, ConnectTimeoutError | TimeoutError):
        return f"was silent: no connection within {lost.seconds:.0f} s, the look-up of its name included"
    return f"refuses: {error}"


def _error_of_proxy(error: Exception, proxy: str) -> BaseException | None:
    """The part of an error that the proxy has in it; None for another's. SOCKS errors do not say of themselves."""
    if isinstance(error, ProxyError):
        return error.original_error
    if proxy.startswith("socks") and isinstance(error, ConnectTimeoutError):
        return (isinstance(error, NewConnectionError) and (error.__cause__ or error.__context__)) or error
    return None


def _remedy_of_tls(said: str) -> str:
    if "not yet valid" in said:
        return "check the clock of this machine and that of the API server: one of them is wrong"
    if "has expired" in said:
        return "the API server's certificate is to be renewed, or the clock of this machine is wrong"
    return "check certificate-authority-data and the server's name in the kubeconfig"


def explain_status(status: int, answer: Object, what: str, connection: Connection, location: str = "") -> ApiError:
    """A refusal, as one line; ``location`` is where a redirect leads."""
    if status < 400:
        return _explain_stranger(status, answer, what, connection, location)
    reason = str(answer.get("reason") or "")
    message = str(answer.get("message") or "no message").strip()
    causes = [str(cause.get("message", "")) for cause in dig(answer, "details", "causes", default=[]) or []]
    extra = "".join(f"; {cause}" for cause in causes if cause and cause not in message)
    remedy = ""
    if status == 401:
        remedy = f"; the credentials of {connection.source} are invalid or expired: log in again"
    elif status == 403:
        remedy = f"; {_remedy_of_forbidden(message, connection)}"
    elif known := remedy_of(message):
        remedy = f"; {known}"
    return ApiError(
        f"{what} on {connection.server}: {status} {reason}: {message}{extra}{remedy}",
        status,
        reason,
        sender=connection.source,
        lacks_right=status == 403 and remedy.endswith(_GRANTED),
    )


_GRANTED = "an administrator grants it: docs/rbac/ has the roles"


def _remedy_of_forbidden(message: str, connection: Connection) -> str:
    """What helps against a 403: missing rights are only one of its reasons."""
    if "system:anonymous" in message:
        return f"no credentials were sent: the user in {connection.source} has none, or they are empty; log in again"
    return remedy_of(message) or _GRANTED


def _explain_stranger(status: int, answer: Object, what: str, connection: Connection, location: str) -> ApiError:
    """Who answers like this is no API server."""
    if status >= 300:
        said = f"it is redirected ({status}) to {location or 'nowhere'}, which is not followed"
    else:
        said = f"the answer ({status}) is a page: {' '.join(str(answer.get('message')).split())[:150]}"
    return no_api_server(f"{what} on {connection.server}: {said}", connection, status)


def no_api_server(said: str, connection: Connection, status: int) -> ApiError:
    """``said`` tells of an answer that no API server gives."""
    return ApiError(
        f"{said}; something else than an API server answers there, such as a proxy or "
        f"the page of a log-in: check the server's address in {connection.source}, proxy-url and HTTPS_PROXY",
        status,
    )
