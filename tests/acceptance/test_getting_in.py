"""Every way in: how the API server is found, who we are to it, by which proxy, for how long; for requests, watches and
the websockets of console and port-forward alike.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from testbed.cluster.client import Cluster
from testbed.cluster.connection import open_connection
from testbed.errors import BadInput, LabError
from testbed.guest.guests import Guests
from testbed.guest.streams import StreamRefused, open_console
from testbed.objects.kinds import ACCOUNT, NODE, SELF_REVIEW, dig
from testbed.objects.ledger import Ledger
from testbed.recording.following import following
from testbed.run import Run
from testbed.settings import Settings

from tests.connect_proxy import ConnectProxy, connect_proxy
from tests.embedded import embedded_cluster

from .cluster import Api

Config = dict[str, Any]
Edit = Callable[[Config], None]

ADMIN = "embedded-admin"
_ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
_BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
_PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "HTTP_PROXY", "http_proxy", "all_proxy")


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with embedded_cluster(tmp_path_factory.mktemp("cluster"), "--shortest-token", "1") as path:
        yield path


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def edited(kubeconfig: Path, tmp_path: Path) -> Callable[[Edit], Path]:
    """A copy of the kubeconfig with its first cluster and user changed."""

    def make(edit: Edit) -> Path:
        config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        edit(config)
        path = tmp_path / "edited"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        return path

    return make


def opened(path: Path | str, context: str = "", **options: Any) -> Cluster:
    return Cluster(open_connection(str(path), context, **options), patience=5)


def whoami(cluster: Cluster) -> str:
    answer = cluster.post_review(SELF_REVIEW, {"apiVersion": SELF_REVIEW.api_version, "kind": SELF_REVIEW.name})
    return str(dig(answer, "status", "userInfo", "username"))


def stream_status(cluster: Cluster) -> int:
    """How a stream to a VMI that is not there is answered: 404 when it came through, was verified and authenticated."""
    with pytest.raises(StreamRefused) as refused:
        open_console(cluster.stream_options(), "default", "nobody", 10)
    assert refused.value.status, str(refused.value)
    return refused.value.status


def assert_in(cluster: Cluster, user: str = ADMIN) -> None:
    """Requests, watches and streams are taken, as this user's."""
    assert whoami(cluster) == user
    with following(cluster, (NODE, None, "")) as history:
        assert len(history.all(NODE)) == 2
    assert stream_status(cluster) == 404


class Account:
    """A service account that may do everything, whose tokens can be revoked."""

    def __init__(self, kubeconfig: Path, name: str) -> None:
        self._cluster = opened(kubeconfig)
        self._api = Api(kubeconfig)
        self.name = name
        self.user = f"system:serviceaccount:default:{name}"
        self._api.create(_ACCOUNTS, {"metadata": {"name": name}})
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
        subject = {"kind": "ServiceAccount", "name": name, "namespace": "default"}
        self._api.create(_BINDINGS, {"metadata": {"name": name}, "roleRef": role, "subjects": [subject]})

    def token(self, seconds: int = 3600) -> str:
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
        answer = self._api.create(f"{_ACCOUNTS}/{self.name}/token", {**request, "spec": {"expirationSeconds": seconds}})
        return str(answer["status"]["token"])

    def revoke(self) -> None:
        """No token that was given is good any more."""
        self._cluster.delete(ACCOUNT, self.name, "default")
        self._api.create(_ACCOUNTS, {"metadata": {"name": self.name}})


@pytest.fixture
def account(kubeconfig: Path, request: pytest.FixtureRequest) -> Account:
    return Account(kubeconfig, request.node.name.removeprefix("test_").replace("_", "-")[:40].strip("-"))


def with_user(user: Config) -> Edit:
    def edit(config: Config) -> None:
        config["users"] = [{"name": ADMIN, "user": user}]

    return edit


def with_cluster(**changes: Any) -> Edit:
    def edit(config: Config) -> None:
        entry = config["clusters"][0]["cluster"]
        entry |= changes
        config["clusters"][0]["cluster"] = {key: value for key, value in entry.items() if value is not None}

    return edit


def test_parts_of_several_files_are_one_kubeconfig(kubeconfig: Path, tmp_path: Path) -> None:
    config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    context = {"name": "lab", "context": {"cluster": config["clusters"][0]["name"], "user": ADMIN}}
    parts = [
        {"contexts": [context], "current-context": "lab"},
        {"clusters": config["clusters"], "contexts": config["contexts"], "current-context": "embedded-certificate"},
        {"users": config["users"]},
    ]
    files = [tmp_path / f"part-{number}" for number in range(len(parts))]
    for file, part in zip(files, parts, strict=True):
        file.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **part}), encoding="utf-8")
    joined = os.pathsep.join(map(str, [*files, tmp_path / "not-there"]))
    assert_in(opened(joined, "lab"))


def test_client_certificate_is_shown_to_requests_and_streams(kubeconfig: Path) -> None:
    cluster = opened(kubeconfig, "embedded-certificate")
    assert "Authorization" not in cluster.connection.headers()
    assert_in(cluster)


def test_without_credentials_nobody_is_let_in(edited: Callable[[Edit], Path]) -> None:
    assert stream_status(opened(edited(with_user({})))) in (401, 403)


def plugin(folder: Path, *credentials: Config) -> Config:
    """An exec plugin that gives these credentials one after the other, the last one for ever; it counts its runs."""
    (folder / "credentials.json").write_text(json.dumps(credentials), encoding="utf-8")
    script = folder / "plugin.py"
    script.write_text(
        "import json, pathlib\n"
        "here = pathlib.Path(__file__).parent\n"
        "runs = here / 'runs'\n"
        "number = len(runs.read_text()) if runs.exists() else 0\n"
        "runs.write_text('x' * (number + 1))\n"
        "known = json.loads((here / 'credentials.json').read_text())\n"
        "status = known[min(number, len(known) - 1)]\n"
        "print(json.dumps({'apiVersion': 'client.authentication.k8s.io/v1', 'kind': 'ExecCredential',"
        " 'status': status}))\n",
        encoding="utf-8",
    )
    version = "client.authentication.k8s.io/v1"
    return {
        "exec": {"apiVersion": version, "command": sys.executable, "args": [str(script)], "interactiveMode": "Never"}
    }


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text(encoding="utf-8"))


def stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def test_exec_plugin_is_asked_again_when_its_credentials_expire(
    edited: Callable[[Edit], Path], account: Account, tmp_path: Path
) -> None:
    first = {"token": account.token(), "expirationTimestamp": stamp(-1)}
    second = {"token": account.token(), "expirationTimestamp": stamp(3600)}
    cluster = opened(edited(with_user(plugin(tmp_path, first, second))))
    assert_in(cluster, account.user)
    assert cluster.connection.headers()["Authorization"] == f"Bearer {second['token']}"
    assert runs(tmp_path) == 2


def test_exec_plugin_is_asked_again_when_its_token_is_refused(
    edited: Callable[[Edit], Path], account: Account, tmp_path: Path
) -> None:
    old = account.token()
    account.revoke()
    cluster = opened(edited(with_user(plugin(tmp_path, {"token": old}, {"token": account.token()}))))
    assert_in(cluster, account.user)
    assert runs(tmp_path) == 2


def test_exec_plugin_may_give_a_certificate(kubeconfig: Path, edited: Callable[[Edit], Path], tmp_path: Path) -> None:
    users = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))["users"]
    data = next(user["user"] for user in users if "client-key-data" in user["user"])
    certificate, key = (base64.b64decode(data[f"client-{what}-data"]).decode() for what in ("certificate", "key"))
    status = {"clientCertificateData": certificate, "clientKeyData": key}
    assert_in(opened(edited(with_user(plugin(tmp_path, status)))))


def test_exec_plugin_that_fails_is_named_in_one_line(edited: Callable[[Edit], Path], tmp_path: Path) -> None:
    user = plugin(tmp_path, {"token": "x"})
    (tmp_path / "plugin.py").write_text("import sys; sys.exit('no session: log in first')", encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        opened(edited(with_user(user)))
    message = str(caught.value)
    assert f'exec plugin "{sys.executable}" gave no credentials: ' in message
    assert "no session: log in first" in message
    assert "\n" not in message


def test_exec_plugin_that_is_not_there_is_named(edited: Callable[[Edit], Path]) -> None:
    hint = "install it from the intranet"
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "lab-login", "installHint": hint}}
    with pytest.raises(BadInput, match=f'exec plugin "lab-login" of kubeconfig .* is not there: .*; {hint}'):
        opened(edited(with_user(user)))


def test_rotated_token_file_is_read_again_by_requests_watches_and_streams(
    edited: Callable[[Edit], Path], account: Account, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(account.token(), encoding="utf-8")
    path = edited(with_user({"tokenFile": str(file)}))
    for use in (whoami, watch_once, stream_once):
        cluster = opened(path)
        assert whoami(cluster) == account.user
        account.revoke()
        file.write_text(account.token(), encoding="utf-8")
        use(cluster)
        assert cluster.connection.headers()["Authorization"] == f"Bearer {file.read_text(encoding='utf-8')}"


def watch_once(cluster: Cluster) -> None:
    with following(cluster, (NODE, None, "")) as history:
        assert len(history.all(NODE)) == 2


def stream_once(cluster: Cluster) -> None:
    """As a guest's shell opens one."""
    run = Run(Settings(), cluster, Ledger(cluster, "r1"), "r1")
    with pytest.raises(StreamRefused) as refused:
        Guests(run, print)._open(lambda options: open_console(options, "default", "nobody", 10))
    assert refused.value.status == 404


def test_token_that_ends_during_a_watch_is_renewed_for_the_next_one(
    edited: Callable[[Edit], Path], account: Account, tmp_path: Path
) -> None:
    """As with bound tokens of a pod: the old one ends, and the file has had a new one for some time."""
    file = tmp_path / "token"
    file.write_text(account.token(seconds=2), encoding="utf-8")
    cluster = opened(edited(with_user({"tokenFile": str(file)})))
    first = cluster.connection.headers()["Authorization"]
    assert whoami(cluster) == account.user
    file.write_text(account.token(), encoding="utf-8")
    deadline = time.monotonic() + 30
    while cluster.connection.headers()["Authorization"] == first and time.monotonic() < deadline:
        watch_once(cluster)
    assert cluster.connection.headers()["Authorization"] != first
    assert_in(cluster, account.user)


def test_many_threads_renew_once(edited: Callable[[Edit], Path], account: Account, tmp_path: Path) -> None:
    old = account.token()
    account.revoke()
    cluster = opened(edited(with_user(plugin(tmp_path, {"token": old}, {"token": account.token()}))))
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: whoami(cluster), range(8))) == {account.user}
    assert runs(tmp_path) == 2


def test_a_pod_goes_by_its_service_account(
    kubeconfig: Path, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))["clusters"][0]["cluster"]
    (tmp_path / "token").write_text(account.token(), encoding="utf-8")
    (tmp_path / "ca.crt").write_bytes(base64.b64decode(entry["certificate-authority-data"]))
    host, _, port = entry["server"].removeprefix("https://").rpartition(":")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", "")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
    loader = "kubernetes.config.incluster_config"
    monkeypatch.setattr(f"{loader}.SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(f"{loader}.SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    cluster = opened("")
    assert cluster.connection.source == "the pod's service account"
    assert_in(cluster, account.user)
    account.revoke()
    (tmp_path / "token").write_text(account.token(), encoding="utf-8")
    stream_once(cluster)
    assert_in(cluster, account.user)


def test_server_that_nobody_vouches_for_is_refused_everywhere(edited: Callable[[Edit], Path]) -> None:
    cluster = opened(edited(with_cluster(**{"certificate-authority-data": None})))
    assert cluster.connection.unverified == ""
    with pytest.raises(LabError, match=r"TLS failed: .*check certificate-authority-data"):
        whoami(cluster)
    with pytest.raises(StreamRefused, match="certificate verify failed"):
        open_console(cluster.stream_options(), "default", "nobody", 10)


def test_certificate_of_another_name_is_refused_everywhere(edited: Callable[[Edit], Path]) -> None:
    cluster = opened(edited(with_cluster(**{"tls-server-name": "elsewhere.example"})))
    with pytest.raises(LabError, match="TLS failed"):
        whoami(cluster)
    with pytest.raises(StreamRefused, match="certificate verify failed"):
        open_console(cluster.stream_options(), "default", "nobody", 10)


def test_tls_server_name_is_what_the_certificate_must_name(edited: Callable[[Edit], Path]) -> None:
    assert_in(opened(edited(with_cluster(**{"tls-server-name": "kubernetes.default.svc"}))))


@pytest.mark.parametrize("by_kubeconfig", [True, False])
def test_unverified_tls_is_a_choice_with_a_name(edited: Callable[[Edit], Path], *, by_kubeconfig: bool) -> None:
    skip = {"insecure-skip-tls-verify": True} if by_kubeconfig else {}
    path = edited(with_cluster(**{"certificate-authority-data": None}, **skip))
    cluster = opened(path, verify=by_kubeconfig)
    named = f"{path} says insecure-skip-tls-verify" if by_kubeconfig else "variable VERIFY_TLS is no"
    assert cluster.connection.unverified == named
    assert cluster.connection.ssl_context().verify_mode is ssl.CERT_NONE
    assert_in(cluster)


@pytest.fixture
def open_proxy() -> Iterator[ConnectProxy]:
    with connect_proxy() as found:
        yield found


def test_proxy_url_of_the_kubeconfig_is_for_requests_and_streams(
    edited: Callable[[Edit], Path], open_proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    cluster = opened(edited(with_cluster(**{"proxy-url": open_proxy.url})))
    assert whoami(cluster) == ADMIN
    requests = len(open_proxy.asked)
    assert requests > 0
    assert stream_status(cluster) == 404
    assert len(open_proxy.asked) == requests + 1
    assert set(open_proxy.asked) == {cluster.connection.server.removeprefix("https://")}


def test_proxy_of_the_environment_is_for_requests_and_streams(
    kubeconfig: Path, open_proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", open_proxy.url)
    assert_in(opened(kubeconfig))
    assert len(open_proxy.asked) >= 2


@pytest.mark.parametrize("pattern", ["127.0.0.1", "127.0.0.0/8", "*"])
def test_no_proxy_goes_around_the_proxy_of_the_environment(
    kubeconfig: Path, open_proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", open_proxy.url)
    monkeypatch.setenv("NO_PROXY", f"example.com,{pattern}")
    assert_in(opened(kubeconfig))
    assert open_proxy.asked == []


def test_proxy_with_a_login_gets_it_for_requests_and_streams(edited: Callable[[Edit], Path]) -> None:
    with connect_proxy("lab:s3cret") as proxy:
        assert_in(opened(edited(with_cluster(**{"proxy-url": proxy.url}))))
        assert proxy.refused == 0


def test_refusal_of_a_proxy_names_it_without_its_password(edited: Callable[[Edit], Path]) -> None:
    with connect_proxy("lab:s3cret") as proxy:
        wrong = proxy.url.replace("s3cret", "wr0ng")
        cluster = opened(edited(with_cluster(**{"proxy-url": wrong})))
        with pytest.raises(LabError) as caught:
            whoami(cluster)
    assert f"the proxy http://127.0.0.1:{proxy.port} refuses" in str(caught.value)
    assert "wr0ng" not in str(caught.value)


def test_streams_through_a_proxy_behind_tls_are_refused_in_words(edited: Callable[[Edit], Path]) -> None:
    cluster = opened(edited(with_cluster(**{"proxy-url": "https://lab:s3cret@127.0.0.1:9"})))
    with pytest.raises(BadInput, match=r"proxy https://127.0.0.1:9 .* no proxy that is itself reached by TLS"):
        cluster.stream_options()
