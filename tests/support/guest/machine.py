# SPDX-License-Identifier: Apache-2.0
"""Running a command in the guest."""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from support.guest import emulator, image

#: What the guest needs to find its disk, which is the root of the machine around it.
_ALWAYS = ("virtio_pci", "9p", "9pnet_virtio", "overlay")


@dataclass(frozen=True)
class Outcome:
    """How a command in the guest ended: its exit code (None: it did not), what it wrote, and the guest's console."""

    code: int | None
    output: str
    console: str


def run(
    command: Sequence[str | Path],
    *,
    modules: Sequence[str],
    environment: Mapping[str, str],
    cards: int = 0,
    seconds: float = 500,
    memory: int = 512,
) -> Outcome:
    """Boots a guest with these kernel modules, and runs a command in it. What it writes to file 3 is its output.

    Without KVM: an emulated processor runs everywhere, and this one is quick enough. ``memory`` is in MiB. It has so
    many network ``cards`` with virtual functions (82576, the kernel's driver is igb).
    """
    qemu = emulator.with_cards() if cards else emulator.installed()
    booted = image.build("init.sh", [*_ALWAYS, *modules])
    with tempfile.TemporaryDirectory(prefix="os-vif-guest-") as directory:
        script, output = Path(directory) / "run", Path(directory) / "output"
        script.write_text(_script(command, environment))
        options = [*_options(booted, script, output, memory), *_cards(cards)]
        console = _boot([*qemu.command, *options], qemu.environment, seconds)
        ended = re.search(r"^GUEST ended (\d+)", console, re.MULTILINE)
        written = output.read_text().replace("\r\n", "\n") if output.exists() else ""
        return Outcome(int(ended[1]) if ended else None, written, console)


def _script(command: Sequence[str | Path], environment: Mapping[str, str]) -> str:
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
    return f"{exports}exec 3>/dev/ttyS1\nexec {shlex.join(map(str, command))}\n"


def _options(booted: image.Image, script: Path, output: Path, memory: int) -> list[str]:
    words = f"console=ttyS0 quiet panic=-1 mitigations=off rdinit=/init guest.run={script}"
    options = f"-accel tcg -cpu max -M q35 -m {memory} -smp 1 -nodefaults -display none -no-reboot".split()
    return [
        *options,
        *("-serial", "stdio", "-serial", f"file:{output}"),
        *("-kernel", str(booted.kernel), "-initrd", str(booted.initrd), "-append", words),
        *("-fsdev", "local,id=around,path=/,security_model=none,readonly=on,multidevs=remap"),
        *("-device", "virtio-9p-pci,fsdev=around,mount_tag=around"),
    ]


def _cards(number: int) -> list[str]:
    """Each alone behind a port of its own, as it is on a mainboard, and with no wire in it."""
    options = []
    for card in range(1, number + 1):
        options += ["-device", f"pcie-root-port,id=port{card},slot={card},chassis={card}"]
        options += ["-device", f"igb,bus=port{card},mac=52:54:00:16:b0:{card:02x},romfile="]
    return options


def _boot(command: Sequence[str], environment: Mapping[str, str], seconds: float) -> str:
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
        return done.stdout.decode(errors="replace").replace("\r", "")
    except subprocess.TimeoutExpired as error:
        return (error.stdout or b"").decode(errors="replace").replace("\r", "") + f"\nstopped after {seconds} s"
