# SPDX-License-Identifier: Apache-2.0
"""The journal that answers for a thing, as marks name it: its home.

Written ``PATH@ROOT``. A path means something below one root directory only, and services in containers may have roots
of their own, with another file of the same path; ROOT (device and inode of "/", as `stat -c %D.%i /` shows them)
tells them apart. A home is "" where the journal ends with its process, or is not known.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

_FORM = re.compile(r"(?s)(.*)@([0-9a-f]+\.[0-9]+)")
_DIGEST = "~"


def of_journal(path: str) -> str:
    """The home that the journal at a path is, for this process; "" for none."""
    return f"{path}@{_root()}" if path else ""


def shortened(home: str, room: int) -> str:
    """The same in at most ``room`` bytes: of a path that is too long, or no text of one word, a digest."""
    path, root = _parts(home)
    if path.startswith(_DIGEST):
        return home
    if home.isprintable() and " " not in home and len(home.encode()) <= room:
        return home
    return f"{_digest(path)}@{root}"


def is_same_path(one: str, other: str) -> bool:
    """Whether both have the same path. Below which root does not matter to who shares a file with a container."""
    ours, theirs = _parts(one)[0], _parts(other)[0]
    return ours == theirs or bool(ours and theirs and _digest(ours) == _digest(theirs))


def _digest(path: str) -> str:
    if path.startswith(_DIGEST):
        return path
    return f"{_DIGEST}{hashlib.blake2b(os.fsencode(path), digest_size=8).hexdigest()}"


def is_elsewhere(home: str, ours: str) -> bool:
    """Whether another journal than ``ours``, which is still there, has the say; where that cannot be told, it has."""
    path, root = _parts(home)
    if not home or home == ours:
        return False
    if root not in ("", _root()):
        return True
    return not is_same_path(home, ours) and _is_there(path)


def is_gone(home: str) -> bool:
    """Whether the file is certainly not there now; it may be one that is not mounted."""
    path, root = _parts(home)
    return root in ("", _root()) and not _is_there(path)


def _parts(home: str) -> tuple[str, str]:
    """Path and root; marks of an earlier form have no root."""
    found = _FORM.fullmatch(home)
    return (found[1], found[2]) if found else (home, "")


def _root() -> str:
    root = Path("/").stat()
    return f"{root.st_dev:x}.{root.st_ino}"


def _is_there(path: str) -> bool:
    if path.startswith(_DIGEST):
        return True
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
