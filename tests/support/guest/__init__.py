# SPDX-License-Identifier: Apache-2.0
"""A machine inside the machine: tests that need more of a kernel than this one's run on Debian's, under QEMU.

The guest has Debian's kernel with the modules asked for, and the root file system of the machine around it, read
only, with a layer in memory on top. So the project's own Python and its tests run in there as they are. Nothing but
Debian packages is needed, neither root nor KVM; a boot takes some fifteen seconds. Not to be confused with
support.guest.small: a virtual machine with nothing in it, to be the guest of a VIF.
"""

from support.guest.elsewhere import Elsewhere
from support.guest.machine import Outcome, run

__all__ = ["Elsewhere", "Outcome", "run"]
