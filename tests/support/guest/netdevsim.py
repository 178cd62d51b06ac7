# SPDX-License-Identifier: Apache-2.0
"""netdevsim, the kernel's simulated network card with a switch, which Debian's kernels lack: built from their source.

`make guest-packages` calls this file, after the kernel was downloaded. The source is 140 MB, and not kept.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from support.guest import debian


def built() -> Path | None:
    """The module for the kernel that was downloaded, if it was built."""
    path = _place() / "netdevsim.ko"
    return path if path.exists() else None


def build() -> None:
    """Builds it where it is not there yet. Raises OSError."""
    if built():
        return
    packages = _packages()
    with tempfile.TemporaryDirectory(dir=debian.DIRECTORY.parent) as scratch:
        module = _compile(packages, Path(scratch))
        _place().mkdir(exist_ok=True)
        module.rename(_place() / "netdevsim.ko")
    for package in packages:
        package.unlink()


def _version() -> str:
    """Of the kernel: "6.1.0-56-amd64"."""
    version = debian.version_of_the_kernel()
    if not version:
        raise OSError("the kernel was not downloaded")
    return version


def _place() -> Path:
    return debian.DIRECTORY.parent / f"netdevsim-{''.join(path.name for path in debian.kernel()[:1])}"


def _packages() -> list[Path]:
    """Headers, what builds modules, and the source, downloaded. Raises OSError."""
    headers = f"linux-headers-{_version()}"
    needed = debian.Apt().run("apt-cache", "depends", headers)
    parts = re.findall(r"Depends: (linux-headers-\S+-common|linux-kbuild-\S+)", needed)
    release = re.match(r"\d+\.\d+", _version())
    assert release
    names = [headers, *parts, f"linux-source-{release[0]}"]
    debian.Apt().download(*names)
    found = [debian.find(f"{name}_*.deb") for name in names]
    return [path for path in found if path]


def _compile(packages: list[Path], scratch: Path) -> Path:
    *headers, source = packages
    for package in headers:
        debian.unpack(package, scratch, "./usr/*")
    # The package holds an archive, of which we want little.
    inner = "tar -xO --wildcards './usr/src/*.tar.xz' | tar -xJ -C \"$1\" --wildcards '*/drivers/net/netdevsim/*'"
    _call("sh", "-c", f'dpkg-deb --fsys-tarfile "$0" | {inner}', str(source), str(scratch))
    [sources] = scratch.glob("linux-source-*/drivers/net/netdevsim")
    tree = scratch / "usr" / "src" / f"linux-headers-{_version()}"
    makefile = tree / "Makefile"
    makefile.write_text(makefile.read_text().replace("/usr/src/", f"{scratch}/usr/src/"))
    _call("make", "-s", "-j2", "-C", str(tree), f"M={sources}", "CONFIG_NETDEVSIM=m", "modules")
    _call("strip", "--strip-debug", str(sources / "netdevsim.ko"))
    return sources / "netdevsim.ko"


def _call(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")


def main() -> None:
    """Builds it, or says why not."""
    try:
        build()
    except OSError as error:
        print(f"Tests that need netdevsim are skipped: {error}", file=sys.stderr)
