# SPDX-License-Identifier: Apache-2.0
"""cloud-init data as it works out in a guest."""

from __future__ import annotations

import asyncio

from emulator.dataplane.model import GuestNic, GuestSpec
from tests.emulator.dataplane.lab import Lab, eventually, expect, nic_mac, pod_mac

RICH = """\
#cloud-config
fqdn: vm.example.org
user: fedora
password: word
chpasswd: {{expire: false}}
write_files:
- path: /etc/app/config
  content: aGVsbG8K
  encoding: b64
  permissions: "0600"
bootcmd:
- echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore
runcmd:
- [sh, -c, "echo from runcmd"]
- cp /etc/app/config /root/seen
mystery: true
"""


async def user_data_takes_effect(lab: Lab) -> None:
    await lab.pod("p1", "node-1")
    spec = GuestSpec("g1", "g1", "g1", "", (), RICH.format(), "")
    await lab.dataplane.boot(spec, "p1")
    console = await lab.dataplane.console("g1")
    boot = await expect(console, b"login: ")
    assert b"cloud-config key 'mystery' is not known here and is ignored" in boot
    assert b"\r\nvm login: " in boot
    await lab.run("g1", "cloud-init", "status", "--wait")
    assert await lab.run("g1", "cat", "/root/seen") == "hello\n"
    assert (await lab.run("g1", "stat", "-c", "%a", "/etc/app/config")).strip() == "600"
    assert "from runcmd" in await lab.run("g1", "cat", "/var/log/cloud-init-output.log")
    assert (await lab.run("g1", "cat", "/proc/sys/net/ipv4/conf/all/arp_ignore")).strip() == "1"
    assert "vm.example.org" in await lab.run("g1", "cat", "/etc/hosts")
    await console.write(b"fedora\r")
    await expect(console, b"Password: ")
    await console.write(b"word\r")
    await expect(console, b"fedora@vm:~$ ")


async def network_data_takes_effect(lab: Lab) -> None:
    data = f"""\
network:
  version: 2
  ethernets:
    anything:
      match: {{macaddress: "{nic_mac(1).upper()}"}}
      set-name: net1
      addresses: [10.50.0.1/24, "fd50::1/64"]
      gateway4: 10.50.0.254
      mtu: 1400
      nameservers: {{addresses: [10.50.0.53], search: [example.org]}}
      routes:
      - {{to: 10.60.0.0/16, via: 10.50.0.253, metric: 50}}
      - {{to: "fd60::/64", via: "fd50::2"}}
    eth0: {{dhcp4: true}}
"""
    await lab.guest(1, "node-1", network_data=data)
    link = await lab.run("g1", "ip", "address", "show", "net1")
    assert "mtu 1400" in link
    assert "10.50.0.1/24 brd 10.50.0.255" in link
    assert "fd50::1/64" in link
    routes = await lab.run("g1", "ip", "route")
    assert "default via 10.50.0.254 dev net1" in routes
    assert "default via 10.0.2.1 dev eth0" in routes
    assert "10.60.0.0/16 via 10.50.0.253 dev net1" in routes
    assert "fd60::/64 via fd50::2" in await lab.run("g1", "ip", "-6", "route")
    assert await lab.run("g1", "cat", "/etc/resolv.conf") == "nameserver 10.50.0.53\nsearch example.org\n"


async def guest_without_any_data_asks_dhcp_and_has_a_login(lab: Lab) -> None:
    await lab.pod("p1", "node-1")
    nics = (GuestNic("default", pod_mac(1), "eth0", "masquerade"), GuestNic("second", nic_mac(1), "net1"))
    await lab.dataplane.boot(GuestSpec("g1", "g1", "my-vm", "", nics), "p1")
    await expect(await lab.dataplane.console("g1"), b"my-vm login: ")
    report = await lab.ready("g1")
    addresses = {each.name: each.addresses for each in report.interfaces}
    assert "10.0.2.2/24" in addresses["eth0"]
    assert not [each for each in addresses["eth1"] if "." in each]


async def broken_data_is_told_on_the_console_and_the_guest_boots(lab: Lab) -> None:
    await lab.pod("p1", "node-1")
    nic = GuestNic("default", pod_mac(1), "eth0", "masquerade")
    spec = GuestSpec("g1", "g1", "g1", "", (nic,), "#cloud-config\n{broken: [", "ethernets: [")
    await lab.dataplane.boot(spec, "p1")
    boot = await expect(await lab.dataplane.console("g1"), b"login: ")
    assert b"Failed loading yaml blob" in boot
    assert b"network data is not YAML" in boot


async def slow_boot_command_holds_the_login_but_not_the_agent(lab: Lab) -> None:
    await lab.pod("p1", "node-1")
    spec = GuestSpec("g1", "g1", "g1", "", (), "#cloud-config\nbootcmd: [sleep 1]\n")
    await lab.dataplane.boot(spec, "p1")
    console = await lab.dataplane.console("g1")
    await asyncio.wait_for(lab.ready("g1"), 0.9)
    assert b"login:" in await expect(console, b"login:")
    await eventually(lambda: lab.dataplane.agent_report("g1"))
