# SPDX-License-Identifier: Apache-2.0
"""What clients count on, said directly. That upstream behaves so too is in test_differential."""

from __future__ import annotations

import copy
import pickle
import warnings

import netaddr
import pytest

from os_vif import exception
from os_vif.objects import base, fields, fixed_ip, instance_info, network, route, subnet, vif


def test_unset_is_not_none() -> None:
    """Reading an unset field raises NotImplementedError; hasattr is False; a default does not set it."""
    bridge = vif.VIFBridge()
    with pytest.raises(NotImplementedError, match="vif_name of VIFBridge") as told:
        _ = bridge.vif_name
    assert isinstance(told.value, exception.ExceptionBase)
    assert not hasattr(bridge, "vif_name")
    assert getattr(bridge, "vif_name", "none yet") == "none yet"
    assert not hasattr(bridge, "active")
    assert vif.VIFBridge(network=None).network is None


def test_in_asks_the_object_and_fields_the_schema() -> None:
    """``in obj`` is whether it is set, ``in obj.fields`` whether there is such a field."""
    bridge = vif.VIFBridge(vif_name="tap0")
    assert "vif_name" in bridge
    assert "bridge_name" not in bridge
    assert "bridge_name" in bridge.fields
    assert "nonsense" not in bridge.fields
    with pytest.raises(AttributeError, match="nonsense"):
        bridge.obj_attr_is_set("nonsense")


def test_unknown_keywords_become_plain_attributes() -> None:
    """As Nova has it, naming the device of a VIFHostDevice and the bridge of a VIFVHostUser."""
    device = vif.VIFHostDevice(vif_name="eth0", dev_type="ethernet")
    assert device.vif_name == "eth0"  # type: ignore[attr-defined]
    assert "vif_name" not in device
    assert "vif_name" not in device.obj_to_primitive()["versioned_object.data"]
    assert vif.VIFVHostUser(bridge_name="br0").bridge_name == "br0"  # type: ignore[attr-defined]


def test_assigning_coerces() -> None:
    """Addresses become netaddr objects, MAC addresses lower case with colons, numbers in text numbers."""
    net = subnet.Subnet(cidr="10.0.0.5/8", gateway="10.0.0.1", dns=("10.0.0.2",))
    assert net.cidr == netaddr.IPNetwork("10.0.0.5/8")
    assert net.gateway == netaddr.IPAddress("10.0.0.1")
    assert net.dns == [netaddr.IPAddress("10.0.0.2")]
    assert vif.VIFBase(address="FA-16-3E-00-00-01").address == "fa:16:3e:00:00:01"
    assert network.Network(mtu="1500").mtu == 1500


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", "nonsense"),
        ("address", 5),
        ("active", None),
        ("network", vif.VIFBridge()),
        ("port_profile", "x"),
        ("plugin", b"ovs"),
        ("plugin", None),
    ],
)
def test_a_value_that_does_not_fit_is_refused_and_changes_nothing(field: str, value: object) -> None:
    """One error that is a ValueError and an ExceptionBase and names the field; the object stays as it was."""
    base_vif = vif.VIFBase(id="5")
    if field == "active":
        base_vif.active = None  # type: ignore[assignment]
        assert base_vif.active is True  # None is the default, where there is one
        return
    with pytest.raises(ValueError, match=f"^{field}: ") as told:
        setattr(base_vif, field, value)
    assert isinstance(told.value, exception.InvalidValue)
    assert told.value.kwargs["field"] == field
    assert field not in base_vif
    assert base_vif.obj_what_changed() == {"id"}


def test_cached_addresses_are_not_shared() -> None:
    """netaddr objects can be changed in place; doing so shows nowhere else."""
    first, second = route.Route(gateway="10.9.9.9"), route.Route(gateway="10.9.9.9")
    first.gateway += 1
    assert str(second.gateway) == "10.9.9.9"
    assert str(route.Route(gateway="10.9.9.9").gateway) == "10.9.9.9"
    copied = route.Route(gateway=second.gateway)
    copied.gateway += 1
    assert str(second.gateway) == "10.9.9.9"


def test_a_new_network_has_what_it_has_from_the_start() -> None:
    """No subnets, in a list of its own, three times no, and no MTU; and these count as changes."""
    one, two = network.Network(), network.Network()
    one.subnets.objects.append(subnet.Subnet())
    assert (len(one.subnets), len(two.subnets)) == (1, 0)
    assert (two.multi_host, two.should_provide_bridge, two.should_provide_vlan, two.mtu) == (False, False, False, None)
    assert two.obj_what_changed() == {"subnets", "multi_host", "should_provide_bridge", "should_provide_vlan", "mtu"}


def test_lists() -> None:
    """Lists iterate, index, slice, add, have a length, and know their elements; what is put in is coerced."""
    one, two = fixed_ip.FixedIP(address="10.0.0.1"), fixed_ip.FixedIP(address="10.0.0.2")
    ips = fixed_ip.FixedIPList(objects=[one])
    ips.objects.append(two)
    assert [ip.address for ip in ips] == [one.address, two.address]
    assert (len(ips), ips[0] is one, ips[-1] is two, one in ips, fixed_ip.FixedIP() in ips) == (
        2,
        True,
        True,
        True,
        False,
    )
    assert "objects" in ips
    assert list(ips[1:]) == [two]
    assert isinstance(ips[1:], fixed_ip.FixedIPList)
    assert len(ips + ips) == 4
    with pytest.raises(ValueError, match=r"objects\[2\]"):
        ips.objects.append("10.0.0.3")
    with pytest.raises(NotImplementedError):
        len(fixed_ip.FixedIPList())
    with pytest.raises(TypeError):
        ips + subnet.SubnetList(objects=[])
    one.floating_ips = []
    for change in (
        lambda: one.floating_ips.append("x"),
        lambda: one.floating_ips.extend(["10.0.0.1", "x"]),
        lambda: one.floating_ips.insert(0, "x"),
        lambda: one.floating_ips.__setitem__(slice(0, 0), ["x"]),
        lambda: one.floating_ips.__iadd__(["x"]),
    ):
        with pytest.raises(ValueError, match=r"floating_ips\["):
            change()
        assert one.floating_ips == []


@pytest.mark.parametrize("duplicate", [copy.deepcopy, vif.VIFBridge.obj_clone, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_are_equal_and_independent(duplicate: object) -> None:
    """A copy has the fields and the changes, shares nothing, and its lists go on coercing."""
    original = vif.VIFBridge(
        id="1", network=network.Network(subnets=subnet.SubnetList(objects=[subnet.Subnet(dns=["10.0.0.1"])]))
    )
    twin = duplicate(original)  # type: ignore[operator]
    assert twin == original
    twin.network.subnets[0].dns.append("10.0.0.2")
    assert twin != original
    with pytest.raises(ValueError, match="dns"):
        twin.network.subnets[0].dns.append("x")
    assert len(original.network.subnets[0].dns) == 1


def test_repr_is_what_logs_and_errors_show() -> None:
    """Fields in order, ``<?>`` for unset ones, objects by their id."""
    bridge = vif.VIFBridge(id="5", vif_name="tap0", network=network.Network(id="7"), address="fa:16:3e:00:00:01")
    assert repr(bridge) == (
        "VIFBridge(active=<?>,address=fa:16:3e:00:00:01,bridge_name=<?>,has_traffic_filtering=<?>,id=5,network=Network(7),"
        "plugin=<?>,port_profile=<?>,preserve_on_delete=<?>,vif_name='tap0')"
    )
    assert repr(instance_info.InstanceInfo(uuid="1", name="vm")) == "InstanceInfo(name='vm',project_id=<?>,uuid=1)"


def test_isinstance_in_the_order_that_nova_asks() -> None:
    """None of the kinds of VIF derives from another one."""
    kinds = [vif.VIFGeneric, vif.VIFBridge, vif.VIFOpenVSwitch, vif.VIFVHostUser, vif.VIFHostDevice]
    for kind in kinds:
        assert [other for other in kinds if isinstance(kind(), other)] == [kind]


def test_the_deprecated_profile_warns_where_it_is_used() -> None:
    """Exactly one PendingDeprecationWarning, blaming the line that makes the object."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        vif.VIFPortProfileOVSRepresentor()
    assert [(warning.category, warning.filename) for warning in seen] == [(PendingDeprecationWarning, __file__)]


def test_constants() -> None:
    """The closed lists of words."""
    assert fields.VIFDirectMode.ALL == ("vepa", "passthrough", "bridge")
    assert fields.VIFVHostUserMode.ALL == ("client", "server")
    assert fields.VIFHostDeviceDevType.ALL == ("ethernet", "generic")
    assert vif.VIFDirect.fields["mode"].valid_values == fields.VIFDirectMode.ALL


def test_a_class_of_ones_own() -> None:
    """A class with typed fields, registered with us, is written and read; a read-only field keeps its value."""

    @base.register
    class VIFWormhole(vif.VIFBase):
        exit = fields.StringField(read_only=True)
        width = fields.optional(fields.IntegerField())

    made = VIFWormhole(exit="Vega", width=None)
    again = base.VersionedObject.obj_from_primitive(made.obj_to_primitive())
    assert again == made
    again.exit = "Vega"
    with pytest.raises(exception.InvalidValue, match="read-only"):
        again.exit = "Sirius"


def test_context_is_carried() -> None:
    """What is given as context comes back, also for objects read from the wire."""
    made = vif.VIFBridge("context", network=network.Network())
    again = base.VersionedObject.obj_from_primitive(made.obj_to_primitive(), context="other")
    assert (made.obj_context, again.obj_context, again.network.obj_context) == ("context", "other", "other")
