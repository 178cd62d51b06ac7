# SPDX-License-Identifier: Apache-2.0
"""Which of the plugins found are used."""

from __future__ import annotations

import pytest
from stevedore import extension

import os_vif
from os_vif.loading import plugins as loading
from os_vif.plugins.noop import NoOpPlugin
from os_vif.plugins.tap import TapPlugin


class OtherNoOpPlugin(NoOpPlugin):
    """As Kuryr's: a plugin under the name of one of ours."""


class FaultyPlugin(NoOpPlugin):
    """One that does not load."""

    @classmethod
    def load(cls, plugin_name: str) -> FaultyPlugin:
        raise RuntimeError("the test's fault")


@pytest.fixture
def found(monkeypatch):
    """Called with (name, class) pairs: has os_vif initialize with these plugins found, in this order."""

    def find(*plugins):
        extensions = [extension.Extension(name, None, plugin, None) for name, plugin in plugins]
        manager = extension.ExtensionManager.make_test_instance(extensions, namespace=loading.ENTRY_POINT_GROUP)
        monkeypatch.setattr(extension, "ExtensionManager", lambda *args, **kwargs: manager)
        os_vif.initialize(reset=True)

    monkeypatch.setattr(loading, "_plugins", None)
    return find


def test_of_plugins_of_one_name_the_last_is_used(found):
    """As with earlier releases, where asking stevedore for a plugin by its name gave the last."""
    found(("noop", NoOpPlugin), ("tap", TapPlugin), ("noop", OtherNoOpPlugin))
    assert type(loading.plugin("noop")) is OtherNoOpPlugin
    assert type(loading.plugin("tap")) is TapPlugin


def test_a_plugin_that_does_not_load_does_not_keep_the_others(found):
    """It is told of in the log."""
    found(("faulty", FaultyPlugin), ("noop", NoOpPlugin))
    assert loading.plugins().keys() == {"noop"}
