# SPDX-License-Identifier: Apache-2.0
"""Guests that libvirt knows go by its UUID for them; the libvirt is the one in its own library, with one guest."""

from __future__ import annotations

import json

import pytest

from support import require

LIBVIRT = ("--network", "blue", "--hypervisor", "libvirt", "--endpoint", "test:///default")

#: The guest "test" of test:///default (libvirt's src/test/test_driver.c).
KNOWN = "6695eb01-f6a4-8304-79aa-97f2502e193f"


@pytest.fixture(autouse=True)
def _network(vif_inside):
    require(module="libvirt", package="'os-vif[libvirt]'")
    assert vif_inside("network", "create", "blue", "--cidr", "192.0.2.0/24").returncode == 0


@pytest.fixture
def attach(vif_inside):
    """Attaches a guest, and tells its UUID."""

    def run(*arguments: str) -> str:
        return json.loads(vif_inside("attach", *arguments, *LIBVIRT, "-o", "json").stdout)["uuid"]

    return run


def test_its_uuid_is_looked_up(attach, vif_inside):
    """Nobody has to ask virsh for it; who did may say it."""
    assert attach("test") == KNOWN
    assert attach("test", "--uuid", KNOWN) == KNOWN
    assert len(json.loads(vif_inside("attachments", "-o", "json").stdout)) == 1


def test_another_uuid_is_refused(vif_inside):
    """It would be another guest's interface."""
    other = "00000000-0000-4000-8000-000000000001"
    refused = vif_inside("attach", "test", "--uuid", other, *LIBVIRT)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        f"error: libvirt knows test by the UUID {KNOWN}, not by {other}.\n"
        "  hint: Leave --uuid out, or correct the guest's name.\n"
    )
    assert json.loads(vif_inside("attachments", "-o", "json").stdout) == []


def test_a_guest_that_is_yet_to_be_defined(attach):
    """It has a UUID made of its name until then, and keeps it: the same command finds the same interface."""
    made = attach("new")
    assert made != KNOWN
    assert attach("new") == made


def test_a_guest_that_comes_from_another_host(vif_inside):
    """Its port is found by the UUID that it has there; a made one would make another port."""
    refused = vif_inside("migrate", "prepare", "moving", *LIBVIRT)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "error: libvirt on this host knows no guest moving, and no UUID is given.\n"
        "  hint: Say --uuid with what `virsh domuuid moving` prints on the host that the guest is on.\n"
    )
    assert json.loads(vif_inside("network", "ports", "-o", "json").stdout) == []
