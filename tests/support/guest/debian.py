# SPDX-License-Identifier: Apache-2.0
"""Debian packages, downloaded and not installed. `make guest-packages` calls this file; the tests only look.

They cannot download anything: a test run has a network namespace of its own, with no way out.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

#: Below the user's cache, because a kernel is some 70 MB and the same for all checkouts.
DIRECTORY = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "os-vif-tests" / "packages"

BUSYBOX = "busybox-static"
_KERNEL_OF_THIS_RELEASE = "linux-image-amd64"


def find(pattern: str) -> Path | None:
    """The newest of the files that were downloaded, of those whose names match."""
    return max(DIRECTORY.glob(pattern), key=os.path.getmtime, default=None)


def kernel() -> Path | None:
    """The package with the kernel, if it was downloaded."""
    return find("linux-image-*.deb")


def busybox() -> Path | None:
    """The package with busybox, if it was downloaded."""
    return find(f"{BUSYBOX}_*.deb")


def unpack(package: Path, directory: Path, *patterns: str) -> None:
    """Unpacks the files of a package whose paths match."""
    directory.mkdir(parents=True, exist_ok=True)
    tar = ["tar", "-x", "-C", str(directory), "--no-same-owner", "--wildcards", *patterns]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as reading:
        subprocess.run(tar, stdin=reading.stdout, check=True, stderr=subprocess.DEVNULL)


def download() -> None:
    """Downloads both, in the versions that apt would install, where they are not there yet. Raises OSError."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for name in (_name_of_the_kernel(), BUSYBOX):
        if not list(DIRECTORY.glob(f"{name}_{_candidate(name).replace(':', '%3a')}_*.deb")):
            _apt("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", name)


def _name_of_the_kernel() -> str:
    for line in _apt("apt-cache", "depends", _KERNEL_OF_THIS_RELEASE).splitlines():
        word, _, name = line.strip().partition(": ")
        if word == "Depends" and name.startswith("linux-image-"):
            return name
    raise OSError(f"apt does not know {_KERNEL_OF_THIS_RELEASE}")


def _candidate(name: str) -> str:
    for line in _apt("apt-cache", "policy", name).splitlines():
        word, _, version = line.strip().partition(": ")
        if word == "Candidate" and version != "(none)":
            return version
    raise OSError(f"apt does not know {name}")


def _apt(*command: str) -> str:
    done = subprocess.run(command, cwd=DIRECTORY, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def _main() -> None:
    try:
        try:
            download()
        except FileNotFoundError:
            raise
        except OSError:
            _apt("apt-get", "-qq", "update")  # the lists may be missing, or name what is no longer there
            download()
    except OSError as error:
        print(f"Tests that need a guest are skipped: {error}", file=sys.stderr)


if __name__ == "__main__":
    _main()
