# SPDX-License-Identifier: Apache-2.0
"""Which journal answers for a thing, told by a path that means something below one root directory only."""

from __future__ import annotations

import os

import pytest

from os_vif.host.journal import identity


@pytest.fixture
def ours(tmp_path):
    return identity.of_journal(f"{tmp_path}/journal.db")


def below_another_root(path, tmp_path):
    """The home of a journal, as a process that has another root directory tells it."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.chroot(tmp_path)
        os.write(writing, identity.of_journal(path).encode())
        os._exit(0)
    os.waitpid(child, 0)
    home = os.read(reading, 10000).decode()
    os.close(writing)
    os.close(reading)
    return home


def test_another_root(ours, tmp_path):
    """A service in a container has another file of the same path, and one of another path cannot be looked at."""
    (tmp_path / "journal.db").touch()
    theirs = below_another_root(f"{tmp_path}/journal.db", tmp_path)
    assert theirs != ours
    assert identity.is_elsewhere(theirs, ours)
    assert identity.is_elsewhere(below_another_root("/none/journal.db", tmp_path), ours)


@pytest.mark.parametrize(
    ("home", "elsewhere"),
    [
        ("{ours}", False),
        ("", False),
        ("{path}/other.db@{root}", True),
        ("{path}/none.db@{root}", False),
        ("{path}/other.db/none.db@{root}", False),
        ("{path}/other.db", True),  # of an earlier form
        ("{path}/none.db", False),
        ("{path}/journal.db", False),
        ("{path}/" + "n" * 300 + "@{root}", True),  # the kernel refuses to look
    ],
)
def test_elsewhere(ours, tmp_path, home, elsewhere):
    """Another journal has the say while its file is there, or nobody can tell."""
    (tmp_path / "other.db").touch()
    root = ours.rpartition("@")[2]
    assert identity.is_elsewhere(home.format(ours=ours, path=tmp_path, root=root), ours) is elsewhere


@pytest.mark.parametrize("name", ["long" * 50, "line\nbreak", "\udcff"])
def test_shortened(name):
    """What does not fit, or is no text, is a digest: known by whose it is, and to others still there."""
    home, other = (identity.shortened(identity.of_journal(f"/{name}{number}"), 100) for number in (1, 2))
    assert home == identity.shortened(identity.of_journal(f"/{name}1"), 100)
    assert len(home.encode()) <= 100
    assert home.isprintable()
    assert not identity.is_elsewhere(home, home)
    assert identity.is_elsewhere(home, other)
