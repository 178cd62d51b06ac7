# SPDX-License-Identifier: Apache-2.0
"""Debian packages, downloaded and not installed. `make guest-packages` calls this file; the tests only look.

They cannot download anything: a test run has a network namespace of its own, with no way out.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

#: Below the user's cache, because a kernel is some 70 MB and the same for all checkouts.
DIRECTORY = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "os-vif-tests" / "packages"

BUSYBOX = "busybox-static"
#: What QEMU is made of.
EMULATOR = ("qemu-system-x86", "qemu-system-common", "qemu-system-data")
_KERNEL_OF_THIS_RELEASE = "linux-image-amd64"
#: Of linux-image-VERSION, from Debian 14 on: the kernel, and what it needs.
_PARTS_OF_A_KERNEL = ("binary", "modules", "base")
_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


def find(pattern: str) -> Path | None:
    """The newest of the files that were downloaded, of those whose names match."""
    return max(DIRECTORY.glob(pattern), key=os.path.getmtime, default=None)


def kernel() -> list[Path]:
    """The packages with the newest kernel that was downloaded; none if none was."""
    images = [path for start in ("linux-image", "linux-binary") if (path := find(f"{start}-*.deb"))]
    newest = max(images, key=os.path.getmtime, default=None)
    if newest is None:
        return []
    rest = newest.name.partition("-")[2].partition("-")[2]
    parts = [find(f"linux-{part}-{rest}") for part in _PARTS_OF_A_KERNEL] if "linux-binary" in newest.name else [newest]
    return [path for path in parts if path] if all(parts) else []


def version_of_the_kernel() -> str:
    """Such as 6.1.0-56-amd64; "" if none was downloaded."""
    found = kernel()
    return re.sub(r"^linux-(image|binary)-", "", found[0].name.partition("_")[0]) if found else ""


def busybox() -> Path | None:
    """The package with busybox, if it was downloaded."""
    return find(f"{BUSYBOX}_*.deb")


def emulator() -> list[Path]:
    """The packages with a later QEMU than this release's, if they were downloaded."""
    found = [find(f"{name}_*.deb") for name in EMULATOR]
    return [path for path in found if path] if all(found) else []


def emulates_cards(program: str = "qemu-system-x86_64") -> bool:
    """Whether QEMU has the network card with virtual functions (igb), which came with QEMU 8."""
    try:
        return b'name "igb"' in subprocess.run([program, "-device", "help"], capture_output=True, check=False).stdout
    except FileNotFoundError:
        return False


def unpack(package: Path, directory: Path, *patterns: str) -> None:
    """Unpacks the files of a package whose paths match."""
    directory.mkdir(parents=True, exist_ok=True)
    tar = ["tar", "-x", "-C", str(directory), "--no-same-owner", "--wildcards", *patterns]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as reading:
        subprocess.run(tar, stdin=reading.stdout, check=True, stderr=subprocess.DEVNULL)


def download() -> None:
    """Downloads kernel and busybox, in the versions that apt would install, where they are not there yet.

    Raises OSError.
    """
    apt = Apt()
    apt.download(*apt.names_of_the_kernel(), BUSYBOX)


def download_emulator() -> None:
    """Downloads a QEMU that emulates cards, where neither the installed nor a downloaded one does. Raises OSError."""
    if not emulates_cards() and not emulator():
        apt = _backports()
        apt.run("apt-get", "-qq", "update")
        apt.download(*EMULATOR)


class Apt:
    """apt, as the machine is configured or otherwise."""

    def __init__(self, configuration: Path | None = None) -> None:
        self._environment = os.environ | ({"APT_CONFIG": str(configuration)} if configuration else {})
        DIRECTORY.mkdir(parents=True, exist_ok=True)

    def download(self, *names: str) -> None:
        """Downloads packages in the versions that it would install, where they are not there. Raises OSError."""
        for name in names:
            if not list(DIRECTORY.glob(f"{name}_{self._candidate(name).replace(':', '%3a')}_*.deb")):
                self.run("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", name)

    def names_of_the_kernel(self) -> list[str]:
        """The packages that the newest kernel is in. Raises OSError."""
        images = [name for name in self._needs(_KERNEL_OF_THIS_RELEASE) if name.startswith("linux-image-")]
        if not images:
            raise OSError(f"apt does not know {_KERNEL_OF_THIS_RELEASE}")
        version = images[0].removeprefix("linux-image-")
        parts = {f"linux-{part}-{version}" for part in _PARTS_OF_A_KERNEL}
        return sorted(parts & set(self._needs(images[0]))) or images

    def _needs(self, package: str) -> list[str]:
        lines = self.run("apt-cache", "depends", package).splitlines()
        pairs = (line.strip().partition(": ") for line in lines)
        return [name for word, _, name in pairs if word == "Depends"]

    def _candidate(self, name: str) -> str:
        for line in self.run("apt-cache", "policy", name).splitlines():
            word, _, version = line.strip().partition(": ")
            if word == "Candidate" and version != "(none)":
                return version
        raise OSError(f"apt does not know {name}")

    def run(self, *command: str) -> str:
        """What one of its programs prints. Raises OSError."""
        done = subprocess.run(
            command, cwd=DIRECTORY, env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout


def _backports() -> Apt:
    """What was made for later releases and runs on this one. The machine's own lists are left alone."""
    uris = Apt().run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages").splitlines()
    uri = next((uri for uri in uris if re.search(r"/debian/?$", uri)), None)
    if uri is None:
        raise OSError("apt is not configured for a mirror of Debian")
    home = DIRECTORY.parent / "apt"
    for directory in ("lists/partial", "cache/archives/partial"):
        (home / directory).mkdir(parents=True, exist_ok=True)
    release = platform.freedesktop_os_release()["VERSION_CODENAME"]
    (home / "sources.list").write_text(f"deb [signed-by={_KEYS}] {uri} {release}-backports main\n")
    (home / "configuration").write_text(
        f'Dir::Etc::sourcelist "{home}/sources.list";\nDir::Etc::sourceparts "-";\nDir::State::lists "{home}/lists";\n'
        f'Dir::Cache "{home}/cache";\nDir::State::status "/dev/null";\n'
    )
    return Apt(home / "configuration")


def _main() -> None:
    try:
        try:
            download()
        except FileNotFoundError:
            raise
        except OSError:
            Apt().run("apt-get", "-qq", "update")  # the lists may be missing, or name what is no longer there
            download()
        download_emulator()
    except OSError as error:
        print(f"Tests that need a guest are skipped: {error}", file=sys.stderr)


if __name__ == "__main__":
    _main()
