# SPDX-License-Identifier: Apache-2.0
"""The firewall cannot be looked at: iptables was uninstalled, or the kernel has no such tables."""

from __future__ import annotations

import pytest

from os_vif import exception
from os_vif.host.kernel import iptables
from support import vifs

VIF = vifs.bridge("br0")


@pytest.fixture
def replace_tools(monkeypatch, tmp_path):
    """Puts programs that say something and fail in the place of iptables and ip6tables; with None, none at all."""

    def replace(words: str | None) -> None:
        monkeypatch.setattr(iptables, "SEARCH_PATH", str(tmp_path))
        for name in ("iptables", "ip6tables") if words else ():
            for action in ("save", "restore"):
                path = tmp_path / f"{name}-{action}"
                path.write_text(f"#!/bin/sh\necho '{words}' >&2\nexit 1\n")
                path.chmod(0o755)
        iptables._readings.clear()

    yield replace
    iptables._readings.clear()


def test_uninstalled_since(new_host, replace_tools):
    """Checking and plugging say which package it takes; unplugging takes away all else, and says so as well."""
    host = new_host()
    host.plug(VIF)
    replace_tools(None)
    host.ns.ip("link", "set", "br0", "down")  # so that there is a reason to look
    missing = "iptables-save is not installed (Debian: apt-get install iptables)"
    with pytest.raises(exception.StepFailed) as caught:
        host.plan(VIF)
    assert str(caught.value) == f"Could not read ipv4 chain os-vif-br0 (device os-vif-br0, VIF {VIF.id}): {missing}"
    with pytest.raises(exception.UnplugIncomplete, match="apt-get install iptables"):
        host.unplug(VIF)
    assert host.ns.link_names() == set()


@pytest.mark.parametrize(
    "words",
    [
        "iptables-save v1.8.9 (nf_tables): Could not fetch rule set generation id: Protocol not supported",
        "iptables-save v1.8.9 (legacy): Cannot initialize: Table does not exist (do you need to insmod?)",
    ],
)
def test_a_kernel_without_tables(new_host, replace_tools, words):
    """Plugging is refused before anything is touched; nothing has to be looked at to unplug what was not."""
    host = new_host()
    before = host.ns.snapshot()
    replace_tools(words)
    with pytest.raises(exception.StepFailed) as caught:
        host.plug(VIF)
    assert str(caught.value).endswith(f"iptables-save: {words}")
    host.unplug(VIF)
    replace_tools(words)
    assert host.ns.snapshot() == before
