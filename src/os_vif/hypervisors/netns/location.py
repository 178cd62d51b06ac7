# SPDX-License-Identifier: Apache-2.0
"""Where the guest is: the namespace that was named, or one of the guest's own name, made for it and removed again."""

from __future__ import annotations

from pathlib import Path

from os_vif.host.kernel import namespaces, rtnetlink
from os_vif.hypervisors.driver import Guest

#: The alias of `lo` in the namespaces that we made.
_MARK = "os-vif"

#: In bytes (NAME_MAX).
_LONGEST_NAME = 255


def path_of(guest: Guest) -> Path:
    """The file that stands for the namespace; ``guest.endpoint`` is a name of `ip netns`, or a path."""
    return Path(guest.endpoint) if "/" in guest.endpoint else namespaces.DIRECTORY / (guest.endpoint or guest.name)


def can_be_named_after(guest: Guest) -> bool:
    """Whether a namespace can have the guest's name, which is that of a file, and an argument of `ip netns`."""
    name = guest.name
    fits = 0 < len(name.encode()) <= _LONGEST_NAME and name not in (".", "..") and not name.startswith("-")
    return fits and "/" not in name and name.isprintable()


def is_to_be_made(guest: Guest) -> bool:
    """Whether the namespace is ours to make: the guest has no endpoint, and there is none of its name."""
    return not guest.endpoint and not namespaces.exists(path_of(guest))


def make(guest: Guest) -> None:
    """Makes the namespace of the guest's name, with `lo` up. Raises OSError."""
    namespaces.make(guest.name, _furnish)


def remove_if_deserted(guest: Guest) -> None:
    """Removes the namespace of the guest's name if we made it and nobody and nothing is in it. Raises OSError."""
    path = path_of(guest)
    if guest.endpoint or not namespaces.exists(path) or not namespaces.inside(path, _is_ours_and_empty):
        return
    if not namespaces.has_processes(guest.name):
        namespaces.remove(guest.name)


def _furnish() -> None:
    rtnetlink.set_link("lo", alias=_MARK, up=True)


def _is_ours_and_empty() -> bool:
    links = rtnetlink.all_links()
    others = [link for link in links if link.name != "lo" and link.kind not in _MADE_BY_THE_KERNEL]
    return not others and any(link.name == "lo" and link.alias == _MARK for link in links)


#: Kinds of devices that some kernels put into every new namespace (sysctl net.core.fb_tunnels_only_for_init_net).
_MADE_BY_THE_KERNEL = frozenset(("ipip", "gre", "gretap", "erspan", "vti", "vti6", "sit", "ip6tnl", "ip6gre"))
