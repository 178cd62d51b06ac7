# SPDX-License-Identifier: Apache-2.0
"""Kuryr-Kubernetes' use of the objects, as a program: classes of its own derived from ours, kept as JSON and read back.

Run by our interpreter and by upstream's; what it prints has to be the same. The first argument says what is imported
first: ``oslo`` (oslo.versionedobjects), ``ours`` (os_vif with all its objects), or ``late`` (neither: os_vif's objects
are all registered only after classes have been derived from some).
"""

from __future__ import annotations

import copy
import json
import pickle
import sys
import warnings

warnings.simplefilter("ignore")

if sys.argv[1] == "ours":
    from os_vif import objects

    objects.register_all()

from oslo_versionedobjects import base as obj_base  # noqa: E402
from oslo_versionedobjects import fields as obj_fields  # noqa: E402

if sys.argv[1] == "oslo":
    from os_vif import objects

    objects.register_all()

import os_vif.objects.network  # noqa: E402
from os_vif.objects import base as osv_base  # noqa: E402
from os_vif.objects import vif as osv_vif  # noqa: E402


@obj_base.VersionedObjectRegistry.register
class VIFVlanNested(osv_vif.VIFBase):
    VERSION = "1.0"
    fields = {"vif_name": obj_fields.StringField(), "vlan_id": obj_fields.IntegerField()}


@obj_base.VersionedObjectRegistry.register
class VIFMacvlanNested(osv_vif.VIFBase):
    VERSION = "1.0"
    fields = {"vif_name": obj_fields.StringField()}


@obj_base.VersionedObjectRegistry.register
class VIFDPDKNested(osv_vif.VIFNestedDPDK):
    VERSION = "1.0"
    fields = {"vif_name": obj_fields.StringField(nullable=True)}


@obj_base.VersionedObjectRegistry.register
class VIFSriov(osv_vif.VIFDirect):
    VERSION = "1.1"
    fields = {
        "physnet": obj_fields.StringField(),
        "pod_name": obj_fields.StringField(),
        "pod_link": obj_fields.StringField(),
    }

    def obj_make_compatible(self, primitive, target_version):
        super().obj_make_compatible(primitive, target_version)
        if target_version == "1.0":
            primitive.pop("pod_name", None)
            primitive.pop("pod_link", None)


@obj_base.VersionedObjectRegistry.register
class VIFBundle(osv_vif.VIFBase):
    """Not Kuryr's: fields of oslo's that hold objects of ours."""

    VERSION = "1.0"
    fields = {
        "members": obj_fields.ListOfObjectsField("VIFBase", subclasses=True),
        "uplink": obj_fields.ObjectField("VIFBase", subclasses=True, nullable=True),
    }


@obj_base.VersionedObjectRegistry.register
class VIFRenamed(osv_vif.VIFBridge):
    """Not Kuryr's: no fields of its own."""


class DictOfVIFsField(obj_fields.AutoTypedField):
    AUTO_TYPE = obj_fields.Dict(obj_fields.Object("VIFBase", subclasses=True))


class KubernetesObject(obj_base.VersionedObject, obj_base.ComparableVersionedObject):
    OBJ_PROJECT_NAMESPACE = "os_vif"

    def __init__(self, context=None, **kwargs):
        super().__init__(context, **kwargs)
        self.obj_set_defaults()
        self.obj_reset_changes()


@obj_base.VersionedObjectRegistry.register
class PodState(KubernetesObject):
    VERSION = "1.0"
    fields = {
        "default_vif": obj_fields.ObjectField(osv_vif.VIFBase.__name__, subclasses=True, nullable=False),
        "additional_vifs": DictOfVIFsField(default={}),
    }


def tell(*what):
    print(json.dumps([in_order(item) for item in what]))


def in_order(value):
    if isinstance(value, dict):
        items = sorted(value.items())
        return {key: sorted(item) if key.endswith(".changes") else in_order(item) for key, item in items}
    if isinstance(value, list):
        return [in_order(item) for item in value]
    return sorted(value) if isinstance(value, set) else value


def alike(one, two):
    # Not ==, which upstream decides by the order of sets.
    return in_order(one.obj_to_primitive()) == in_order(two.obj_to_primitive())


def kind(error):
    return next(cls.__name__ for cls in type(error).__mro__ if cls.__module__ == "builtins")


def there_and_back(obj):
    wire = json.loads(json.dumps(obj.obj_to_primitive()))
    return osv_base.VersionedObject.obj_from_primitive(wire)


os_vif.objects.register_all()
network = os_vif.objects.network.Network(id="3f", mtu=1450, bridge="br0")
vlan = VIFVlanNested(id="6c", vif_name="tap1", vlan_id="7", network=network, address="FA:16:3E:00:00:01", active=True)
sriov = VIFSriov(id="9", physnet="physnet2", dev_address="0000:3b:00.1", mode="passthrough", pod_name="p", pod_link="l")
macvlan = VIFMacvlanNested(id="1", vif_name="eth0", port_profile=osv_vif.VIFPortProfileK8sDPDK(l3_setup=True))
dpdk = VIFDPDKNested(id="2", pci_address="0000:00:01.0", dev_driver="vfio-pci", vif_name=None)
bundle = VIFBundle(id="b", members=[vlan, osv_vif.VIFGeneric(id="g", vif_name="t")], uplink=macvlan)
renamed = VIFRenamed(id="r", vif_name="x", bridge_name="y")

for vif in (vlan, sriov, macvlan, dpdk, bundle, renamed):
    back = there_and_back(vif)
    tell(vif.obj_to_primitive(), repr(vif), repr(back), type(back).__name__, alike(back, vif), vif.obj_what_changed())
    for twin in (copy.deepcopy(vif), vif.obj_clone(), pickle.loads(pickle.dumps(vif))):
        tell(repr(twin), alike(twin, vif), type(twin).__name__)
    tell(sorted(vif.fields), [repr(field) for _, field in sorted(vif.fields.items())])
    tell(isinstance(vif, osv_vif.VIFBase), isinstance(vif, obj_base.VersionedObject), vif.obj_name(), vif.VERSION)
    vif.obj_set_defaults()
    vif.obj_reset_changes()
    tell(vif.obj_what_changed(), vif.active, vif.preserve_on_delete)

tell(sriov.obj_to_primitive("1.0"))
sriov.vlan_name = "vlan7"
tell("vlan_name" in sriov, sriov.vlan_name, "physnet" in sriov.fields, sriov.obj_what_changed())

state = PodState(default_vif=vlan, additional_vifs={"eth1": sriov, "eth2": osv_vif.VIFBridge(id="z", bridge_name="b")})
back = there_and_back(state)
tell(state.obj_to_primitive(), repr(state), repr(back), alike(back, state))
tell(back.default_vif.vlan_id, back.default_vif.network.mtu, back.additional_vifs["eth2"].bridge_name)
state.obj_reset_changes(recursive=True)
tell(state.obj_what_changed())
state.default_vif.active = False
tell(state.obj_what_changed(), state.default_vif.obj_what_changed())

for field, value in (("vlan_id", "x"), ("vif_name", None), ("address", "x"), ("network", vlan), ("port_profile", 5)):
    try:
        setattr(vlan, field, value)
        tell(field, "taken")
    except Exception as error:
        tell(field, kind(error))

wire = vlan.obj_to_primitive()
wire["versioned_object.data"]["vlan_id"] = "many"
try:
    osv_base.VersionedObject.obj_from_primitive(wire)
except Exception as error:
    tell(kind(error))
