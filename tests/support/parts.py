# SPDX-License-Identifier: Apache-2.0
"""Parts that a machine may lack: a test that needs one is skipped, and says what to install. In CI it fails."""

from __future__ import annotations

import importlib.util
import os
import shutil
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from support.netns import Namespace


def missing(reason: str) -> NoReturn:
    """Ends the test: skipped on a person's machine, failed where CI is set, because there nothing may be missing."""
    __tracebackhide__ = True
    if os.environ.get("CI"):
        pytest.fail(f"missing in CI: {reason}", pytrace=False)
    pytest.skip(reason)


def require(program: str | None = None, package: str | None = None, *, module: str | None = None) -> str:
    """Ends the test when a program or a Python module is not there; returns where it is.

    require("qemu-img", "qemu-utils")               # Debian package; the program's name if not given
    require(module="oslo_privsep", package="oslo.privsep")
    """
    __tracebackhide__ = True
    if program is not None:
        found = shutil.which(program)
        if found is None:
            missing(f"{program} is not installed: apt-get install --no-install-recommends {package or program}")
        return found
    assert module is not None, "name a program or a module"
    spec = importlib.util.find_spec(module)
    if spec is None:
        missing(f"Python module {module} is not installed: .venv/bin/pip install {package or module}")
    return str(spec.origin)


def require_tun() -> None:
    """Ends the test when tap devices cannot be made here."""
    __tracebackhide__ = True
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        missing("/dev/net/tun cannot be opened: `modprobe tun` as root, or give this user access to it")


def require_vxlan(namespace: Namespace) -> None:
    """Ends the test when the kernel makes no VXLAN devices; tried in a namespace."""
    __tracebackhide__ = True
    probe = ["ip", "link", "add", "probe", "type", "vxlan", "id", "1", "dstport", "4789"]
    if namespace.run(probe, check=False).returncode:
        missing("this kernel makes no VXLAN devices: modprobe vxlan")
    namespace.ip("link", "delete", "probe")
