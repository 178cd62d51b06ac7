# SPDX-License-Identifier: Apache-2.0
"""A libvirt of the tests' own: its daemon in a network namespace, with files nobody else sees, and guests of it.

daemon = Libvirtd(namespace)
with daemon.guest("one", interface_xml) as one:     # Debian's kernel, with a console that takes commands
    one.wait()
    assert one.reaches("10.0.0.2")
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

from support.guest import image
from support.guest.console import Console
from support.netns import Namespace
from support.parts import missing, require

PACKAGE = "libvirt-daemon-system"
_DRIVER = "/usr/lib/*/libvirt/connection-driver/libvirt_driver_qemu.so"
_MODULES = ("virtio_pci", "virtio_net")

_DAEMON = """
unix_sock_dir = "{directory}"
auth_unix_rw = "none"
auth_unix_ro = "none"
host_uuid = "{identity}"
log_outputs = "3:file:{directory}/messages"
"""

#: Nothing of the machine's: no other users, no control groups, no further namespaces.
_QEMU = """
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
cgroup_controllers = [ ]
namespaces = [ ]
stdio_handler = "file"
max_core = 0
"""

#: What libvirtd reads and writes, hidden behind directories of our own; and /run, where it looks for Open vSwitch.
#: The shell is the first process of its namespace: it takes leave of the children of others, and all end with it.
_START = """
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/libvirt
ln -s {switch} /run/openvswitch
mount --bind {directory}/etc /etc/libvirt
for name in lib cache log; do
    mount --bind {directory}/$name /var/$name/libvirt
done
libvirtd --config {directory}/libvirtd.conf --pid-file {directory}/pid --timeout 0 &
wait
"""

_GUEST = """
<domain type='qemu'>
  <name>{name}</name>
  <uuid>{identity}</uuid>
  <memory unit='MiB'>96</memory>
  {memory}
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{kernel}</kernel>
    <initrd>{initrd}</initrd>
    <cmdline>console=ttyS0 quiet loglevel=0 panic=-1 mitigations=off rdinit=/init {words}</cmdline>
  </os>
  <features><acpi/></features>
  <cpu mode='maximum'/>
  <devices>
    <controller type='usb' model='none'/>
    {ports}
    <serial type='unix'><source mode='connect' path='{console}'/></serial>
    <memballoon model='none'/>
    {devices}
  </devices>
</domain>
"""

#: Cards are plugged into these while the guest runs.
_PORT = "<controller type='pci' index='{}' model='pcie-root-port'/>"


class Libvirtd:
    """``uri`` is where it is; ``switch`` the directory of the Open vSwitch that it finds."""

    def __init__(self, namespace: Namespace, *, switch: Path = Path("/nonexistent")) -> None:
        """Starts it, and returns when it answers."""
        for program, package in (("libvirtd", PACKAGE), ("virsh", "libvirt-clients")):
            require(program, package)
        require("qemu-system-x86_64", "qemu-system-x86")
        require(module="libvirt", package="libvirt-python")
        if not list(Path("/").glob(_DRIVER[1:])):
            missing("libvirt has no QEMU: apt-get install --no-install-recommends libvirt-daemon-driver-qemu")
        if Path("/proc/self/setgroups").read_text().strip() == "deny":
            missing("libvirt's daemon must be root, and in a user namespace it is not enough of that: sudo make test")
        # Not pytest's directory: the path of a socket has 107 characters at most.
        self.directory = Path(tempfile.mkdtemp(prefix="os-vif-virt-"))
        self.uri = f"qemu+unix:///system?socket={self.directory}/libvirt-sock"
        for name in ("etc", "lib", "cache", "log"):
            (self.directory / name).mkdir()
        (self.directory / "etc" / "qemu.conf").write_text(_QEMU)
        settings = _DAEMON.format(directory=self.directory, identity=uuid.uuid4())
        (self.directory / "libvirtd.conf").write_text(settings)
        script = _START.format(directory=self.directory, switch=switch)
        own = ["unshare", "--mount", "--pid", "--fork", "--propagation=private", "--mount-proc", "--kill-child"]
        self._process = namespace.popen([*own, "bash", "-c", script], start_new_session=True)
        self._wait()

    def virsh(self, *arguments: str, check: bool = True) -> str:
        """What virsh prints."""
        command = ["virsh", "--quiet", "--connect", self.uri, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0 or not check, f"{arguments}: {done.stderr}"
        return done.stdout.strip()

    def guest(self, name: str, *devices: str, address: str = "", shared_memory: bool = False) -> Guest:
        """A guest that is started, with devices given in XML; ``address`` is for its first card."""
        guest = self.defined(name, *devices, address=address, shared_memory=shared_memory)
        self.virsh("start", name)
        return guest

    def defined(self, name: str, *devices: str, address: str = "", shared_memory: bool = False) -> Guest:
        """A guest that is there and does not run."""
        guest = Guest(self, name, address)
        (self.directory / f"{name}.xml").write_text(guest.xml(devices, shared_memory=shared_memory))
        self.virsh("define", f"{self.directory}/{name}.xml")
        return guest

    def clean(self) -> None:
        """Ends and forgets all guests."""
        for name in self.virsh("list", "--all", "--name").split():
            self.virsh("destroy", name, check=False)
            self.virsh("undefine", name, check=False)

    def close(self) -> None:
        """Ends it, its guests, and removes its files."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _wait(self) -> None:
        end = time.monotonic() + 120
        while not self.virsh("version", check=False):
            assert self._process.poll() is None, "libvirtd has ended"
            assert time.monotonic() < end, f"libvirtd does not answer:\n{(self.directory / 'messages').read_text()}"
            time.sleep(0.05)


class Guest(Console):
    """A small virtual machine of libvirt's."""

    def __init__(self, daemon: Libvirtd, name: str, address: str) -> None:
        # It connects to us, and not we to it, so that nothing of what it writes gets lost.
        self._listening = socket.socket(socket.AF_UNIX)
        super().__init__(self._listening)
        self.name = name
        self.uuid = str(uuid.uuid4())
        self._daemon = daemon
        self._address = address
        self._path = daemon.directory / f"{name}.console"
        self._path.unlink(missing_ok=True)
        self._listening.settimeout(120)
        self._listening.bind(str(self._path))
        self._listening.listen()

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def xml(self, devices: tuple[str, ...], *, shared_memory: bool) -> str:
        """What libvirt is to know of it."""
        booted = image.build("small_init.sh", _MODULES)
        shared = "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>"
        return _GUEST.format(
            name=self.name,
            identity=self.uuid,
            memory=shared if shared_memory else "",
            # QEMU 7.2 crashes with vhost-user and MSI when the processor is an emulated one.
            words="pci=nomsi" if shared_memory else "",
            kernel=booted.kernel,
            initrd=booted.initrd,
            console=self._path,
            ports="".join(_PORT.format(number) for number in range(1, 5)),
            devices="".join(devices),
        )

    def wait(self, *, seconds: float = 240) -> None:
        """Returns when it answers, and has its address."""
        self._socket, _ = self._listening.accept()
        self._answer(seconds)
        if self._address:
            self.run(f"ip address add {self._address} dev eth0")

    def configure(self, mac: str, address: str) -> None:
        """Sets the address of the card with that MAC, once the guest has found it."""
        find = f"device=$(grep -l {mac} /sys/class/net/eth*/address 2>/dev/null | cut -d/ -f5)"
        self.run(f'for try in $(seq 100); do {find}; test "$device" && break; sleep 0.1; done')
        self.run(f"ip link set $device up; ip address replace {address} dev $device")

    def cards(self) -> set[str]:
        """The MAC addresses of its cards."""
        return set(self.run("cat /sys/class/net/eth*/address 2>/dev/null; true").split())

    def move(self, daemon: Libvirtd, *, xml: str = "") -> None:
        """Moves it to another libvirt while it runs; it is that one's from then on. ``xml``: what it is to be there."""
        way = ["--live", "--persistent", "--undefinesource", "--migrateuri", f"unix://{self._path}.move"]
        if xml:
            file = daemon.directory / f"{self.name}.xml"
            file.write_text(xml)
            way += ["--xml", str(file), "--persistent-xml", str(file)]
        self._daemon.virsh("migrate", *way, self.name, daemon.uri)
        self._daemon = daemon
        self._socket.close()
        self._socket, _ = self._listening.accept()

    def stop(self) -> None:
        """Ends it, as by pulling the plug, and has libvirt forget it."""
        self._socket.close()
        self._listening.close()
        self._daemon.virsh("destroy", self.name, check=False)
        self._daemon.virsh("undefine", self.name, check=False)
