# SPDX-License-Identifier: Apache-2.0
"""Who may choose where our files are: links, directories and modes as another user of the machine would plant them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from os_vif import exception
from os_vif.host.journal import state_directory
from support.unprivileged import NOBODY, require_second_user


@pytest.fixture
def run_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In place of /run/os-vif."""
    place = tmp_path / "run" / "os-vif"
    monkeypatch.setattr(state_directory, "RUN_DIRECTORY", place)
    return place


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Path]:
    """A directory of another user, in one of root's."""
    require_second_user()
    place = tmp_path / "theirs"
    place.mkdir(mode=0o700)
    os.chown(place, NOBODY, NOBODY)
    yield place


def link(path: Path, target: object) -> Path:
    """A link that the other user has made."""
    path.symlink_to(str(target))
    os.lchown(path, NOBODY, NOBODY)
    return path


def opened(path: Path, **options: bool) -> Path:
    descriptor = state_directory.open_directory(path, **options)
    try:
        return Path(f"/proc/self/fd/{descriptor}").readlink()
    finally:
        os.close(descriptor)


def test_a_directory_is_made_for_its_owner_alone(tmp_path):
    """What leads there is open as the user's umask has it."""
    place = tmp_path / "some" / "state"
    assert opened(place, make=True) == place
    assert place.stat().st_mode & 0o777 == 0o700
    with pytest.raises(FileNotFoundError):
        opened(tmp_path / "other")


def test_links_of_this_user_are_followed(tmp_path):
    """An administrator may have the state elsewhere; absolute, relative and upward."""
    (tmp_path / "disk" / "state").mkdir(parents=True)
    (tmp_path / "one").symlink_to(tmp_path / "disk")
    (tmp_path / "two").symlink_to("disk/../one/state")
    assert opened(tmp_path / "one" / "state") == tmp_path / "disk" / "state"
    assert opened(tmp_path / "two") == tmp_path / "disk" / "state"
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(OSError, match="symbolic links"):
        opened(tmp_path / "circle")


def test_another_users_directory_is_opened(theirs):
    """That of a service: root looks into it."""
    (theirs / "state").mkdir()
    os.chown(theirs / "state", NOBODY, NOBODY)
    link(theirs / "link", "state")
    assert opened(theirs / "link") == theirs / "state"


@pytest.mark.parametrize("how", ["link", "name", "upward"])
def test_another_user_leads_to_their_own_only(theirs, tmp_path, how):
    """Not to a directory of root, by whatever way; the error says whose it is, and who leads there."""
    if how == "link":
        wanted, found = link(theirs / "link", tmp_path), "/"
    elif how == "name":
        (theirs / "state").mkdir()  # as if moved there
        wanted = found = theirs / "state"
    else:
        wanted, found = link(theirs / "link", "../"), tmp_path
    with pytest.raises(exception.UntrustedFile, match=re.escape(f"{found} is not used: it belongs to root")) as caught:
        opened(wanted)
    assert f"{theirs}{'' if how == 'name' else '/link'}, which leads there, is nobody's" in str(caught.value)
    assert caught.value.code == "untrusted-file"


def test_where_everybody_may_write(tmp_path, caplog):
    """Nobody can tell who has put there what is in it; a directory like /tmp protects what its users have in it."""
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "state").mkdir(mode=0o700)
    (tmp_path / "open").chmod(0o1777)
    assert opened(tmp_path / "open" / "state")
    state_directory.StateDirectory(tmp_path / "open").check("journal.db", make=True)
    assert f"Everybody may write in the state directory {tmp_path / 'open'}" in caplog.text
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(exception.UntrustedFile, match=r"open is not used: .* \(mode 0777\): everybody may write in it"):
        opened(tmp_path / "open" / "state")


def test_where_a_group_may_write(tmp_path):
    """Root does not go there; a group of root's own is no other."""
    require_second_user()
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o775)
    assert opened(tmp_path / "shared")
    os.chown(tmp_path / "shared", 0, NOBODY)
    with pytest.raises(exception.UntrustedFile, match=r"shared is not used: .*: a group may write in it"):
        opened(tmp_path / "shared")


def test_in_a_sticky_directory_the_owner_counts(tmp_path):
    """A link that another user made in /tmp leads to nothing of root's."""
    require_second_user()
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp").chmod(0o1777)
    link(tmp_path / "tmp" / "link", tmp_path)
    with pytest.raises(exception.UntrustedFile, match="/link, which leads there, is nobody's"):
        opened(tmp_path / "tmp" / "link")


def test_what_a_program_of_ours_obeys(run_directory, tmp_path, theirs):
    """It is where root alone may write, whoever has the state directory."""
    with pytest.raises(FileNotFoundError):
        state_directory.trusted_directory("dhcp/blue", theirs, make=False)
    assert state_directory.trusted_directory("dhcp/blue", theirs) == run_directory / "dhcp" / "blue"
    assert state_directory.trusted_directory("dhcp/blue", theirs, make=False) == run_directory / "dhcp" / "blue"
    os.chown(run_directory, NOBODY, NOBODY)
    own = tmp_path / "own"
    assert state_directory.trusted_directory("dhcp/blue", own) == own / "dhcp" / "blue"
    with pytest.raises(exception.UntrustedFile, match=r"^dhcp/blue is not used: .*os-vif .*; .*theirs .* alone\.$"):
        state_directory.trusted_directory("dhcp/blue", theirs)
    assert list(theirs.iterdir()) == []
