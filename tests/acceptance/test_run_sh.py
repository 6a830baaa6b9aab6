# SPDX-License-Identifier: Apache-2.0
"""run.sh: its environment, its own options, and what it hands over."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from .conftest import NO_USER, Checkout

INSTALL = re.compile(r"-m pip install .*")


def installs(checkout: Checkout) -> list[str]:
    return [call for call in checkout.calls() if INSTALL.match(call)]


def handed_over(run: subprocess.CompletedProcess[str]) -> list[str]:
    """The arguments of the last call, that of the run itself."""
    assert run.returncode == 0, run.stderr
    return re.findall(r"<([^>]*)>", run.stdout)


def test_help_needs_no_environment(checkout: Checkout) -> None:
    run = checkout.run("--help")
    assert run.returncode == 0
    assert run.stdout.startswith("Usage: ./run.sh")
    assert checkout.calls() == []


def test_first_start_makes_an_environment_and_the_second_only_uses_it(checkout: Checkout) -> None:
    first = checkout.run("--include", "p0")
    assert "Setting up" in first.stderr
    assert len(installs(checkout)) == 1
    checkout.log.write_text("", encoding="utf-8")
    second = checkout.run("--include", "p0")
    assert second.stderr == ""
    assert handed_over(second) == handed_over(first)
    assert len(checkout.calls()) == 2, "the second start asked Python for something besides the values and the run"


def test_a_changed_lock_is_installed_at_the_next_start(checkout: Checkout) -> None:
    checkout.run()
    with (checkout.folder / "locks/embedded.txt").open("a", encoding="utf-8") as file:
        file.write("something-new\n")
    checkout.run("--kubeconfig", "config")
    assert len(installs(checkout)) == 1, "a real cluster does not need the embedded one's requirements"
    checkout.run()
    assert len(installs(checkout)) == 2


def test_a_real_cluster_installs_only_what_it_needs(checkout: Checkout) -> None:
    checkout.run("--kubeconfig", "config")
    (install,) = installs(checkout)
    assert install.endswith(f"--require-hashes -r {checkout.folder}/locks/cluster.txt")
    checkout.run()
    assert installs(checkout)[1].endswith(f"--require-hashes -r {checkout.folder}/locks/embedded.txt")


def test_without_locks_the_ranges_are_installed(checkout: Checkout) -> None:
    checkout.run(env={"WITHOUT_LOCKS": "yes"})
    (install,) = installs(checkout)
    assert "--require-hashes" not in install
    wanted = [f"{checkout.folder}/requirements.txt", f"{checkout.folder}/emulator/requirements.txt"]
    assert re.findall(r"-r (\S+)", install) == wanted


def test_an_environment_that_lost_its_python_is_made_anew(checkout: Checkout) -> None:
    checkout.run()
    (checkout.folder / ".venv/bin/python").unlink()
    assert checkout.run().returncode == 0
    assert len(installs(checkout)) == 2


def test_first_starts_at_one_time_make_one_environment(checkout: Checkout) -> None:
    with ThreadPoolExecutor() as pool:
        runs = list(pool.map(lambda _: checkout.run(), range(4)))
    assert [run.returncode for run in runs] == [0] * 4
    assert len(installs(checkout)) == 1


def test_robots_arguments_are_handed_over_unharmed(checkout: Checkout) -> None:
    arguments = ["--test", 'VM * $HOME "it\'s"', "--variable", "SWAP_TIMEOUT:2 min", "", "-i", "p1ANDlocalnet"]
    assert handed_over(checkout.run(*arguments))[-len(arguments) :] == arguments


def test_an_embedded_cluster_is_started_around_the_run(checkout: Checkout) -> None:
    handed = handed_over(checkout.run("--kubevirt", "1.8", "--include", "p0", "--defect=one", "--defect", "two"))
    root = str(checkout.folder)
    assert handed == [
        *("-m", "emulator", "exec", "--kubevirt", "1.8", "--defect", "one", "--defect", "two", "--"),
        *(f"{root}/.venv/bin/python", f"{root}/scripts/run_suites.py", "--state", root, "--embedded"),
        *("--defect", "one", "--defect", "two", "--profile", "embedded", "--", "--include", "p0"),
    ]
    assert checkout.calls()[-2] == f"{root}/scripts/command_line.py --profile embedded -- --include p0"


def test_a_wrong_value_starts_no_cluster(checkout: Checkout) -> None:
    checkout.run()
    checkout.stand_in(command_line=64)
    checkout.log.write_text("", encoding="utf-8")
    shutil.copy(checkout.folder / "bin/python3", checkout.folder / ".venv/bin/python")
    assert checkout.run("--variable", "SWAP_TIMOT:1").returncode == 64
    assert not [call for call in checkout.calls() if "emulator" in call]


def test_a_check_of_values_that_breaks_is_no_fault_of_the_product(checkout: Checkout) -> None:
    checkout.stand_in(command_line=1)
    assert checkout.run().returncode == 2


def test_a_start_that_breaks_is_no_fault_of_the_product(checkout: Checkout) -> None:
    """Such as on a disk that is full."""
    checkout.tool("mkdir", "#!/bin/sh\necho 'mkdir: no space left on device' >&2\nexit 1\n")
    run = checkout.run()
    assert run.returncode == 2
    assert run.stderr.splitlines()[-1].startswith("error: the start failed; is the disk full")


def test_profiles_of_the_user_count_before_the_embedded_clusters(checkout: Checkout) -> None:
    handed = handed_over(checkout.run("--profile", "embedded-openshift", "--platform=openshift"))
    assert handed[-5:] == ["--profile", "embedded-openshift", "--profile", "embedded", "--"]
    assert handed_over(checkout.run("--kubeconfig", "c", "--profile=mine"))[-3:] == ["--profile", "mine", "--"]


def test_short_times_are_for_the_default_speed_only(checkout: Checkout) -> None:
    assert "--profile" not in handed_over(checkout.run("--speed", "1", "--include", "p0"))
    assert handed_over(checkout.run("--speed", "1", "--profile", "embedded"))[-3:-1] == ["--profile", "embedded"]


def test_a_kubeconfig_starts_no_cluster(checkout: Checkout) -> None:
    handed = handed_over(checkout.run("--include", "p0", "--kubeconfig=my config", "--context", "other"))
    root = str(checkout.folder)
    assert handed == [
        *(f"{root}/scripts/run_suites.py", "--state", root, "--kubeconfig", "my config", "--context", "other"),
        *("--own-cluster", "--", "--include", "p0"),
    ]


def test_processes_are_for_the_run_and_one_is_not_worth_a_word(checkout: Checkout) -> None:
    assert "<--processes><2>" in checkout.run("--processes", "2", "--include", "p1").stdout
    assert "--processes" not in handed_over(checkout.run("--processes=1"))


def test_a_preflight_is_of_what_is_selected_on_either_kind_of_cluster(checkout: Checkout) -> None:
    handed = handed_over(checkout.run("--preflight", "--include", "p1"))
    assert "emulator" in handed and "--preflight" in handed and handed[-3:] == ["--", "--include", "p1"]
    assert "--preflight" in handed_over(checkout.run("--kubeconfig", "config", "--preflight"))


def test_a_dry_run_starts_no_cluster(checkout: Checkout) -> None:
    assert "emulator" not in handed_over(checkout.run("--dryrun"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--kubeconfig"], "--kubeconfig needs a value"),
        (["--kubeconfig="], "--kubeconfig needs a value"),
        (["--defect"], "--defect needs a value"),
        (["--processes", "0"], '--processes is "0"; expected a number from 1 to 99'),
        (["--context", "c"], "--context names a context of the file given with --kubeconfig"),
        (["--kubeconfig", "f", "--defect", "d"], "--defect is for the embedded cluster, --kubeconfig for yours"),
        (["--kubeconfig", "f", "--dry-run"], "--dry-run goes with --delete-leftovers"),
        (
            ["--delete-leftovers"],
            "--delete-leftovers needs --kubeconfig or --in-cluster: an embedded cluster ends with its run",
        ),
    ],
)
def test_wrong_usage_is_one_line(checkout: Checkout, arguments: list[str], message: str) -> None:
    run = checkout.run(*arguments)
    assert (run.returncode, run.stderr) == (64, f"error: {message}\n")
    assert checkout.calls() == []


def test_without_a_venv_module_the_hosts_pip_helps(checkout: Checkout) -> None:
    checkout.stand_in(venv_module=1)
    assert checkout.run().returncode == 0
    assert any(call.startswith("-m venv --without-pip") for call in checkout.calls())


BEGUN = ("-m venv", "-m pip", "run_suites", "emulator", "command_line")


def bare_machine(checkout: Checkout, *missing: str) -> dict[str, str]:
    """An environment whose PATH has what bootstrap.sh itself calls and a list of apt-get's calls, but not the rest."""
    for tool in (
        *("bash", "dirname", "sha256sum", "readlink", "uname", "id", "cat", "env", "mkdir", "cp", "rm", "mv"),
    ):
        found = subprocess.run(["which", tool], capture_output=True, text=True, check=True).stdout.strip()
        (checkout.folder / "bin" / tool).symlink_to(found)
    for tool in missing:
        (checkout.folder / "bin" / tool).unlink()
    # It installs ip and ping, and nothing else.
    text = f"""#!/bin/bash
echo "$*" >>"{checkout.folder}/apt.log"
case ${{@: -1}} in iproute2) tool=ip ;; iputils-ping) tool=ping ;; *) exit 1 ;; esac
cp "{checkout.folder}/bin/a-tool" "{checkout.folder}/bin/$tool"
"""
    checkout.tool("a-tool", "#!/bin/sh\n")
    checkout.tool("apt-get", text)
    script = checkout.folder / "scripts/bootstrap.sh"
    script.write_text(script.read_text(encoding="utf-8").replace(":/usr/sbin:/sbin", ""), encoding="utf-8")
    return {"PATH": str(checkout.folder / "bin")}


def asked_of_apt(checkout: Checkout) -> list[str]:
    log = checkout.folder / "apt.log"
    return [line.split()[-1] for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []


@pytest.mark.circumstance(
    "a system package is missing and --install is not given",
    topic="input",
    sees="this machine lacks ... install what is missing with",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize("environment", [{}, {"INSTALL": "/usr/bin/install -c"}, {"CI": "true"}])
def test_nothing_is_installed_unasked(checkout: Checkout, environment: dict[str, str]) -> None:
    checkout.stand_in(venv_module=1, host_pip=1)
    run = checkout.run(env=bare_machine(checkout, "ip", "ping") | environment)
    assert run.returncode == 2
    assert run.stderr == (
        "error: this machine lacks python3-venv iproute2 iputils-ping; install what is missing with "
        '"apt-get install python3-venv iproute2 iputils-ping" (packages of Debian), or start with --install as root\n'
    )
    assert asked_of_apt(checkout) == []
    assert not [call for call in checkout.calls() if call.startswith(BEGUN)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs packages")
def test_what_is_missing_is_installed_on_request(checkout: Checkout) -> None:
    run = checkout.run("--install", "--include", "p0", env=bare_machine(checkout, "ip", "ping"))
    assert handed_over(run)[-3:] == ["--", "--include", "p0"]
    assert asked_of_apt(checkout) == ["iproute2", "iputils-ping"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs packages")
def test_what_cannot_be_installed_is_named(checkout: Checkout) -> None:
    checkout.stand_in(venv_module=1, host_pip=1)
    run = checkout.run("--install", env=bare_machine(checkout, "ping"))
    assert run.returncode == 2
    assert 'lacks python3-venv; install what is missing with "apt-get install python3-venv"' in run.stderr


def test_a_real_cluster_needs_neither_ip_nor_ping(checkout: Checkout) -> None:
    run = checkout.run("--kubeconfig", "config", env=bare_machine(checkout, "ip", "ping"))
    assert run.returncode == 0, run.stderr


@pytest.mark.circumstance(
    "PIP_USER=1 is set",
    topic="input",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_settings_of_pip_lead_nothing_elsewhere(checkout: Checkout) -> None:
    run = checkout.run(env={"PIP_USER": "1", "PIP_TARGET": "/somewhere", "PIP_PREFIX": "/elsewhere"})
    assert run.returncode == 0, run.stderr
    assert "pip is told PIP_USER, 0" in checkout.calls()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_another_users_checkout_is_used_as_it_is_or_from_the_cache_folder(checkout: Checkout) -> None:
    home = checkout.folder / "home"
    home.mkdir()
    os.chown(home, NO_USER, NO_USER)
    cold = checkout.run(user=NO_USER)
    assert handed_over(cold)[4] == f"{home}/.cache/kubevirt-live-nad-tests/venv/bin/python"
    checkout.run()
    warm = checkout.run(user=NO_USER)
    assert warm.stderr == ""
    assert handed_over(warm)[4] == f"{checkout.folder}/.venv/bin/python"
    assert handed_over(warm)[7] == f"{home}/.cache/kubevirt-live-nad-tests"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_nowhere_to_write_is_one_line(checkout: Checkout) -> None:
    run = checkout.run(user=NO_USER, env={"HOME": "/nonexistent"})
    assert run.returncode == 2
    assert run.stderr == (
        f"error: neither {checkout.folder} nor /nonexistent/.cache/kubevirt-live-nad-tests may be written; "
        "set XDG_CACHE_HOME to a folder of yours\n"
    )
