# SPDX-License-Identifier: Apache-2.0
"""What a plugin is: imperative as third parties have always written them, or one that states what it wants."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from oslo_config import cfg

if TYPE_CHECKING:
    from typing import Self

    from os_vif.host.state import HostState
    from os_vif.objects.host_info import HostPluginInfo
    from os_vif.objects.instance_info import InstanceInfo
    from os_vif.objects.vif import VIFBase


class PluginBase(abc.ABC):
    """A plugin that does its work itself, loaded from the entry point group ``os_vif``.

    ``config`` is the live group of oslo.config with the options of CONFIG_OPTS, or None when there are none.
    """

    CONFIG_OPTS: ClassVar[Sequence[cfg.Opt]] = ()

    def __init__(self, config: Any) -> None:
        self.config = config

    @abc.abstractmethod
    def describe(self) -> HostPluginInfo:
        """Which VIF classes and port profiles, in which versions, the plugin takes."""

    @abc.abstractmethod
    def plug(self, vif: VIFBase, instance_info: InstanceInfo) -> None:
        """Wires the VIF. Called again for a VIF that is plugged, it must do no harm."""

    @abc.abstractmethod
    def unplug(self, vif: VIFBase, instance_info: InstanceInfo) -> None:
        """Takes away what plug() made. Called for a VIF that is not plugged, it must do no harm."""

    @classmethod
    def load(cls, plugin_name: str) -> Self:
        """Registers the options in the group ``os_vif_<plugin_name>`` and makes an instance that sees them."""
        if not cls.CONFIG_OPTS:
            return cls(None)
        group = f"os_vif_{plugin_name}"
        cfg.CONF.register_opts(list(cls.CONFIG_OPTS), group=group)
        return cls(getattr(cfg.CONF, group))


class Plugin(PluginBase):
    """A plugin that says what the host should look like; the engine does the rest.

    desired_state() is a pure function of the VIF, the instance and the configuration: it reads nothing from the
    host and changes nothing. It raises os_vif.exception.InvalidRequest for what cannot be done.
    """

    #: The module of the privileged helper, used by callers that are not root.
    PRIVILEGED_CONTEXT: ClassVar[str] = "os_vif.privsep"

    @abc.abstractmethod
    def desired_state(self, vif: VIFBase, instance_info: InstanceInfo) -> HostState:
        """The resources that the VIF needs on the host, in the order in which they are to be made."""

    def leftover_state(self, vif: VIFBase, instance_info: InstanceInfo) -> HostState:
        """What an earlier release may have left of a VIF beside desired_state(): unplugging takes it away as well.

        Under names that nobody else uses: where there is a record, it does not tell of these.
        """
        from os_vif.host.state import HostState

        return HostState()

    def guest_state(self, vif: VIFBase, instance_info: InstanceInfo) -> HostState:
        """What devices that others make for the VIF, hypervisors above all, have to be like once they are there.

        Checking and repairing look at these; they are never made, recorded or removed.
        """
        from os_vif.host.state import HostState

        return HostState()

    def plug(self, vif: VIFBase, instance_info: InstanceInfo) -> None:
        """Makes the host as desired_state() says. Raises HostError; the host is then as it was."""
        from os_vif.plugging import current, requests

        current.engine().plug([requests.request(self, vif, instance_info)])

    def unplug(self, vif: VIFBase, instance_info: InstanceInfo) -> None:
        """Takes away what is recorded for the VIF. Raises HostError after all steps were tried."""
        from os_vif.plugging import current, requests

        current.engine().unplug([requests.request_to_leave(self, vif, instance_info)])
