# SPDX-License-Identifier: Apache-2.0
"""Open vSwitch with DPDK, which has vhost-user ports; without huge pages and without network cards."""

from __future__ import annotations

from pathlib import Path

from support.ovs import Switch
from support.parts import missing, require

PACKAGE = "openvswitch-switch-dpdk"
_PROGRAM = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"
#: Without it, ports say that they are connected and carry nothing.
_MEMORY_POOLS, _PACKAGE_OF_MEMORY_POOLS = "/usr/lib/*/dpdk/pmds-*/librte_mempool_ring.so.*", "librte-meta-mempool"


class DpdkSwitch(Switch):
    """A switch whose vswitchd has DPDK. Its sockets of vhost-user, those that it makes, are in ``directory``."""

    def start_vswitchd(self) -> None:
        """Starts the switch; DPDK reads its settings once, at the start."""
        require(_PROGRAM, PACKAGE)
        if not list(Path("/").glob(_MEMORY_POOLS[1:])):
            missing(f"DPDK has no memory pools: apt-get install --no-install-recommends {_PACKAGE_OF_MEMORY_POOLS}")
        self._environment["RUNTIME_DIRECTORY"] = str(self.directory)
        extra = f"--no-huge -m 256 --no-pci --no-telemetry --legacy-mem --file-prefix={self.directory.name}"
        settings = {
            "dpdk-init": "true",
            "per-port-memory": "true",
            "pmd-maxsleep": "500",  # microseconds: it polls, and the processors are few
            "dpdk-extra": extra,
        }
        words = [f'other_config:{key}="{value}"' for key, value in settings.items()]
        self._call("ovs-vsctl", f"--db={self.remote}", "--no-wait", "set", "Open_vSwitch", ".", *words)
        self._daemon("ovs-vswitchd", _PROGRAM, self.remote, *self._arguments)
