# SPDX-License-Identifier: Apache-2.0
"""A small virtual machine as a VIF's guest: Debian's kernel and busybox in QEMU, with a console that takes commands.

    with Guest(namespace, tap("tap1", mac=MAC), address="10.0.0.1/24") as one, Guest(...) as two:
        one.wait()
        assert one.reaches("10.0.0.2")

It needs neither root nor KVM, and some 200 MB of memory; it answers after two or three seconds. Guests boot at the
same time when all are started before one is waited for.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
from pathlib import Path

from support.guest import image
from support.guest.console import Console
from support.netns import Namespace
from support.parts import require

_MODULES = ("virtio_pci", "virtio_net")


def tap(name: str, *, mac: str) -> list[str]:
    """QEMU's arguments for a network card at a tap device that is there."""
    backend = f"tap,id={_id(mac)},ifname={name},script=no,downscript=no,vhost=off"
    return ["-netdev", backend, "-device", _card(mac)]


def vhost_user(path: str, *, mac: str, server: bool) -> list[str]:
    """QEMU's arguments for a network card at a vhost-user socket, which QEMU makes if it is the server.

    Without MSI-X (vectors): QEMU 7.2 crashes with it when the processor is an emulated one.
    """
    key = _id(mac)
    listens = ",server=on" if server else ""
    chardev = f"socket,id=chr-{key},path={path}{listens}"
    backend = f"vhost-user,id={key},chardev=chr-{key}"
    return ["-chardev", chardev, "-netdev", backend, "-device", f"{_card(mac)},vectors=0"]


class Guest(Console):
    """A running guest. ``address`` is for its first card, eth0; ``qmp`` is the socket of QEMU's monitor.

    It runs in a network namespace, where its taps are; ``cards`` are arguments of QEMU.
    """

    def __init__(self, namespace: Namespace, *cards: list[str], address: str = "", memory: int = 96) -> None:
        """Starts it; ``memory`` is in MiB, and shared with who opens it, as vhost-user wants. See wait()."""
        emulator = require("qemu-system-x86_64", "qemu-system-x86")
        booted = image.build("small_init.sh", _MODULES)
        # Not pytest's directory: the path of a socket has 107 characters at most.
        self._directory = Path(tempfile.mkdtemp(prefix="os-vif-guest-"))
        self.qmp = self._directory / "qmp"
        self._address = address
        self._errors = self._directory / "errors"
        ours, theirs = socket.socketpair()
        super().__init__(ours)
        with theirs, self._errors.open("w") as errors:
            command = [emulator, *_options(booted, self.qmp, memory), *(word for card in cards for word in card)]
            self._process = namespace.popen(command, stdin=theirs, stdout=theirs, stderr=errors)

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait(self, *, seconds: float = 240) -> None:
        """Returns when it answers, and has its address."""
        self._answer(seconds)
        if self._address:
            self.run(f"ip address add {self._address} dev eth0")

    def stop(self) -> None:
        """Ends it, as by pulling the plug, and returns when it is gone. A second time does nothing."""
        self._process.kill()
        self._process.wait()
        self._socket.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _complaints(self) -> str:
        return self._errors.read_text()


def _options(booted: image.Image, qmp: Path, memory: int) -> list[str]:
    words = "console=ttyS0 quiet loglevel=0 panic=-1 mitigations=off rdinit=/init"
    options = f"-accel tcg -cpu max -M q35,memory-backend=ram -m {memory} -smp 1 -nodefaults -display none -no-reboot"
    return [
        *options.split(),
        *("-object", f"memory-backend-memfd,id=ram,size={memory}M,share=on"),
        *("-serial", "stdio", "-qmp", f"unix:{qmp},server=on,wait=off"),
        *("-kernel", str(booted.kernel), "-initrd", str(booted.initrd), "-append", words),
    ]


def _card(mac: str) -> str:
    return f"virtio-net-pci,netdev={_id(mac)},mac={mac},romfile="


def _id(mac: str) -> str:
    return "n" + mac.replace(":", "")
