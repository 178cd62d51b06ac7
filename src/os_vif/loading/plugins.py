# SPDX-License-Identifier: Apache-2.0
"""Finding and loading plugins: entry points of the group ``os_vif``."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.host.process import threads

if TYPE_CHECKING:
    from os_vif.plugin import PluginBase

LOG = logger(__name__)

ENTRY_POINT_GROUP = "os_vif"

_mutex = threads.Lock()
_plugins: dict[str, PluginBase] | None = None


def load(*, again: bool = False) -> None:
    """Loads the plugins, once; ``again`` makes new instances."""
    global _plugins
    with _mutex:
        if _plugins is None or again:
            _plugins = _load_all()


def plugin(name: str) -> PluginBase:
    """The plugin of that name. Raises LibraryNotInitialized, NoMatchingPlugin."""
    try:
        return plugins()[name]
    except KeyError:
        raise exception.NoMatchingPlugin(plugin_name=name) from None


def plugins() -> dict[str, PluginBase]:
    """All plugins by name. Raises LibraryNotInitialized."""
    if _plugins is None:
        raise exception.LibraryNotInitialized()
    return _plugins


def _load_all() -> dict[str, PluginBase]:
    from stevedore import extension

    manager = extension.ExtensionManager(ENTRY_POINT_GROUP, on_load_failure_callback=report_failure)
    loaded: dict[str, PluginBase] = {}
    # Kuryr brings a `noop` of its own. Of several plugins of one name stevedore uses the last it has found.
    for name in dict.fromkeys(manager.names()):
        try:
            loaded[name] = manager[name].plugin.load(name)
        except Exception:
            LOG.exception("The plugin %s could not be loaded; VIFs that ask for it cannot be plugged.", name)
    return loaded


def report_failure(manager: Any, entry_point: EntryPoint, error: BaseException) -> None:
    """Called by stevedore for a plugin that cannot be imported: the others work on."""
    LOG.error("The plugin %s (%s) could not be imported: %s", entry_point.name, entry_point.value, error)
