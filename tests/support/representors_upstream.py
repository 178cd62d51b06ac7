# SPDX-License-Identifier: Apache-2.0
"""What upstream os-vif finds in trees of sysfs, each mounted as /sys in turn: run by the interpreter that has upstream.

Given [[tree, PCI address of a virtual function], ...] it prints the names of the representors.
"""

import json
import subprocess
import sys


def main() -> None:
    """Looks all of them up. It must be in a mount namespace of its own."""
    from vif_plug_ovs import linux_net

    found = []
    for tree, function in json.loads(sys.argv[1]):
        subprocess.run(["mount", "--bind", tree, "/sys"], check=True)
        physical = linux_net.get_ifname_by_pci_address(function, pf_interface=True, switchdev=True)
        found.append(linux_net.get_representor_port(physical, linux_net.get_vf_num_by_pci_address(function)))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
