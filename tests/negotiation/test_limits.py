# SPDX-License-Identifier: Apache-2.0
"""Whoever may write a header or a profile keeps no server busy with it, and writes no lines into its log."""

from __future__ import annotations

import json

import pytest

from os_vif import exception
from os_vif.negotiation import header, offer_form, profile
from os_vif.negotiation.answer import refused
from os_vif.negotiation.choice import choose
from os_vif.negotiation.refusal import Refusal

PLAIN = offer_form.write(header.offer_of('ovs;v="1.0-1.0", bridge', "host-a"))


def read(**changed):
    return profile.read_offer({profile.KEY: PLAIN | changed})


def test_a_header_of_thousands_of_names_is_refused():
    """There are a dozen ways to bind a port."""
    with pytest.raises(exception.MalformedOffer) as caught:
        header.parse(",".join(f"a{number}" for number in range(101)))
    assert str(caught.value) == "OpenStack-VIF-Accept: it lists 101 binding types; at most 100 are read"
    assert len(header.parse(",".join(f"a{number}" for number in range(100)))) == 100


@pytest.mark.parametrize("key", ["candidates", "withdrawn", "migration_methods"])
def test_a_profile_of_thousands_is_refused(key):
    """Whatever they are."""
    with pytest.raises(exception.MalformedOffer, match=rf"os_vif_offer\.{key}: at most 100 are read, and it has 101"):
        read(**{key: [{}] * 101})


@pytest.mark.parametrize("text", ["x\n2026-01-01 CRITICAL", "a\x1b[2J", "a\u202eb", "a" * 256])
@pytest.mark.parametrize("key", ["host", "hypervisor", "boot_id", "readiness"])
def test_names_are_words(key, text):
    """They come to logs and terminals."""
    with pytest.raises(exception.MalformedOffer, match=f"{key}: a line of at most 255 characters is needed"):
        read(**{key: text})
    with pytest.raises(exception.MalformedOffer, match="name: a line of at most 255 characters is needed"):
        read(candidates=[{"name": text, "plugin": "ovs", "vif": "VIFBridge 1.0-1.0"}])


@pytest.mark.parametrize("key", ["generation", "lease"])
@pytest.mark.parametrize("value", [-1, 1 << 31, 10**400])
def test_numbers_have_bounds(key, value):
    """Whoever counts with them need not ask."""
    with pytest.raises(exception.MalformedOffer, match=f"{key}: a number from 0 to 2147483647 is needed"):
        read(**{key: value})


def test_depth_is_no_way_out():
    """Of any depth that JSON can be read of."""
    deep: object = []
    for _ in range(900):
        deep = [deep]

    def call(frames: int) -> None:
        if frames:
            call(frames - 1)
        else:
            read(hypervisor=deep)

    with pytest.raises(exception.MalformedOffer, match=r"hypervisor: a string is needed, not \[\[\["):
        call(60)


def test_a_refusal_is_of_readable_length():
    """However many there are, and whatever others gave as reasons; all of them are there for programs."""
    refusals = [Refusal(candidate=f"a{n}", code="driver", reason="x" * 5000 + "\n\x1b[2J") for n in range(100)]
    error = exception.BindingRefused(refusals=refusals)
    assert len(str(error)) < 32 * 500
    assert str(error).endswith(" And 68 more.")
    assert str(error).isprintable()
    assert len(json.loads(json.dumps(error.to_dict()))["refusals"]) == 100


def test_what_was_offered_is_told_back_in_one_line():
    """Also a reason of the hypervisor's own, which may be any text."""
    offer = read(withdrawn=[["ovs", "gone", "line\nbreak\x1b[2J"]])
    assert str(refused(choose(offer, []), offer)).endswith(" ovs: line?break?[2J")
