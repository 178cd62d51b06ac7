# SPDX-License-Identifier: Apache-2.0
"""The conformance kit of os-vif, run on this plugin and its backend, on the kernel."""

from __future__ import annotations

import dataclasses
import os
import subprocess

import pytest
from oslo_config import cfg
from vif_plug_vxlan.backend import VxlanBackend
from vif_plug_vxlan.plugin import VxlanPlugin
from vif_plug_vxlan.resource import Vxlan

import os_vif
from os_vif import exception
from os_vif.host.state import NO_HOST_IP
from os_vif.objects.instance_info import InstanceInfo
from os_vif.objects.network import Network
from os_vif.objects.vif import VIFGeneric
from os_vif.testing.conformance import PluginConformance
from os_vif.testing.conformance.backends import BackendConformance

INSTANCE = InstanceInfo(uuid="5d1e6a2c-7a2e-4b8e-9d5e-3c1f0a9b8c7d", name="guest-1")
NETWORK = Network(id="b5a7c0f2-1d3e-4f5a-8b9c-0d1e2f3a4b5c", vlan=701)
PEERS = ["192.0.2.2", "192.0.2.3"]


def require_vxlan():
    """Ends the test where the kernel has no VXLAN."""
    probe = ["ip", "link", "add", "probe", "type", "vxlan", "id", "1", "dstport", "4789"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        reason = "this kernel makes no VXLAN devices: modprobe vxlan"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    subprocess.run(["ip", "link", "delete", "probe"], check=True)


def peers():
    """What the device knows of other hosts."""
    shown = subprocess.run(["bridge", "fdb", "show", "dev", "vx701"], capture_output=True, text=True, check=False)
    return sorted(line.split()[2] for line in shown.stdout.splitlines() if " dst " in line)


class TestBackend(BackendConformance):
    """The backend by itself."""

    def prepare(self):
        require_vxlan()
        subprocess.run(["ip", "link", "add", "br0", "type", "bridge"], check=True)

    def make_backends(self):
        return {"vxlan": VxlanBackend}

    def make_resource(self, number):
        return Vxlan(
            name=f"vx{700 + number}",
            vni=700 + number,
            local="192.0.2.1",
            peers=tuple(PEERS),
            master="br0",
            mtu=1450,
            sysctls=NO_HOST_IP,
        )

    def make_changed(self):
        return dataclasses.replace(self.make_resource(1), peers=("192.0.2.3", "192.0.2.4"), mtu=1400, master="")

    def make_foreign(self):
        subprocess.run(["ip", "link", "add", "vx701", "type", "vxlan", "id", "701", "dstport", "4789"], check=True)

    def snapshot(self):
        return {"links": super().snapshot(), "peers": peers()}


class TestOnTheKernel(PluginConformance):
    """Each test in a network namespace of its own."""

    #: Enough to be quick here; leave it out for your own.
    most_crashes = 8

    def prepare(self):
        require_vxlan()

    def make_plugin(self):
        conf = cfg.ConfigOpts()
        conf.register_opts(VxlanPlugin.CONFIG_OPTS, group="os_vif_vxlan")
        conf([], project="vxlan", default_config_files=[])
        conf.set_override("local", "192.0.2.1", group="os_vif_vxlan")
        conf.set_override("peers", PEERS, group="os_vif_vxlan")
        return VxlanPlugin(conf.os_vif_vxlan)

    def make_backends(self):
        return {"vxlan": VxlanBackend}

    def make_vif(self, number):
        identity = f"{number:08x}-6b9c-4c2d-9d1f-9f7c1f0c9c11"
        return VIFGeneric(id=identity, plugin="vxlan", vif_name=f"guest{number}", network=NETWORK), INSTANCE

    def snapshot(self):
        return {"links": super().snapshot(), "peers": peers()}

    def test_the_device_comes_with_the_first_guest_and_goes_with_the_last(self):
        before = self.snapshot()
        self.plug(1)
        self.plug(2)
        assert peers() == PEERS
        self.unplug(1)
        assert peers() == PEERS
        self.unplug(2)
        self.expect(before, "both unplugged")

    def test_what_somebody_changed_is_put_back(self):
        """A peer that is missing, one too many, a device that is down, or out of its bridge."""
        self.plug()
        plugged = self.snapshot()
        fdb = "bridge fdb {} 00:00:00:00:00:00 dev vx701 dst {}"
        for change in (
            fdb.format("delete", PEERS[0]),
            fdb.format("append", "192.0.2.9"),
            "ip link set vx701 down",
            "ip link set vx701 nomaster",
            "ip link delete vx701",
        ):
            subprocess.run(change.split(), check=True)
            found = os_vif.check(*self.make_vif(1))
            assert found.differences, change
            os_vif.repair(*self.make_vif(1))
            self.expect(plugged, f"repaired after {change!r}")
            assert not os_vif.check(*self.make_vif(1)).differences

    def test_what_no_record_tells_of_is_garbage(self):
        """Once somebody asks for orphans by a word of theirs."""
        before = self.snapshot()
        self.plug()
        (self._state / "journal.db").unlink()
        self.restart()
        assert "VXLAN device vx701" in {finding.what for finding in os_vif.gc(dry_run=True)}
        os_vif.gc(orphans=True)
        self.expect(before, "collected")

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ("ip link add vx701 type bridge", "it is a bridge, not a VXLAN device."),
            (
                "ip link add vx701 type vxlan id 701 local 192.0.2.1 dstport 4789",
                "it exists already, and os-vif did not make it.",
            ),
        ],
    )
    def test_what_somebody_else_made_is_left_alone(self, change, reason):
        """It is in the way, and stays as it is, whatever is plugged or unplugged."""
        subprocess.run(change.split(), check=True)
        before = self.snapshot()
        with pytest.raises(exception.PlugException) as caught:
            self.plug()
        identity = self.make_vif(1)[0].id
        assert str(caught.value.__cause__) == f"Device vx701 is in the way of VIF {identity}: {reason}"
        self.unplug()
        self.expect(before, "refused and unplugged")

    def test_a_device_for_another_network_is_not_taken(self):
        """What a device is, is not changed in place."""
        self.plug()
        plugged = self.snapshot()
        subprocess.run(["ip", "link", "set", "vx701", "name", "vx702"], check=True)
        vif, instance = self.make_vif(2)
        vif.network = Network(id=NETWORK.id, vlan=702)
        with pytest.raises(exception.PlugException, match="it is for network 701 and address "):
            os_vif.plug(vif, instance)
        subprocess.run(["ip", "link", "set", "vx702", "name", "vx701"], check=True)
        self.expect(plugged, "another network was refused")
