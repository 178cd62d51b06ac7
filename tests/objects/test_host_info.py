# SPDX-License-Identifier: Apache-2.0
"""What a host can plug."""

from __future__ import annotations

import pytest

from os_vif import exception
from os_vif.objects.host_info import HostInfo, HostPluginInfo, HostPortProfileInfo, HostVIFInfo


def host() -> HostInfo:
    kinds = [
        HostVIFInfo(vif_object_name=name, min_version="1.0", max_version="1.0") for name in ("VIFBridge", "VIFDirect")
    ]
    plugins = [HostPluginInfo(plugin_name="one", vif_info=kinds), HostPluginInfo(plugin_name="two", vif_info=kinds[1:])]
    return HostInfo(plugin_info=plugins)


def test_looking_up_tells_real_names() -> None:
    """A miss names what was looked for; upstream shows a placeholder."""
    assert host().get_plugin("one").get_vif("VIFBridge").vif_object_name == "VIFBridge"
    with pytest.raises(exception.NoMatchingPlugin, match="three"):
        host().get_plugin("three")
    with pytest.raises(exception.NoMatchingVIFClass, match="VIFNope"):
        host().get_plugin("one").get_vif("VIFNope")
    assert host().has_plugin("two")
    assert not host().get_plugin("two").has_vif("VIFBridge")


def test_filtering_drops_plugins_that_are_left_with_nothing() -> None:
    """Only the permitted kinds stay, and only plugins that have some."""
    info = host()
    info.filter_vif_types(["VIFBridge"])
    assert [plugin.plugin_name for plugin in info.plugin_info] == ["one"]
    assert [kind.vif_object_name for kind in info.plugin_info[0].vif_info] == ["VIFBridge"]


@pytest.mark.parametrize(
    ("low", "high", "common"),
    [("1.0", "1.0", "1.0"), ("1.0", "1.9", "1.4"), ("1.2", "1.3", "1.3"), ("0.5", "9.9", "1.4")],
)
def test_the_common_version_is_the_newest_of_both(low: str, high: str, common: str) -> None:
    """Any version that we can write may be the common one; upstream only finds the newest of all."""
    info = HostPortProfileInfo(profile_object_name="VIFPortProfileOpenVSwitch", min_version=low, max_version=high)
    assert info.get_common_version() == common


def test_no_common_version_says_what_there_is() -> None:
    """The error tells both sides' versions."""
    info = HostVIFInfo(vif_object_name="VIFVHostUser", min_version="1.2", max_version="1.9")
    with pytest.raises(exception.NoSupportedVIFVersion, match=r"VIFVHostUser.*1\.0, 1\.1.*1\.2.*1\.9"):
        info.get_common_version()
    with pytest.raises(exception.NoMatchingPortProfileClass, match="VIFNope"):
        HostPortProfileInfo(profile_object_name="VIFNope", min_version="1.0", max_version="1.0").get_common_version()
    with pytest.raises(ValueError, match="min_version"):
        HostVIFInfo(vif_object_name="VIFBridge", min_version="x", max_version="1.9").get_common_version()


def test_str_is_the_wire_form() -> None:
    """As upstream prints them."""
    assert str(host()) == str(host().obj_to_primitive())
