# SPDX-License-Identifier: Apache-2.0
"""Nova, asked for the XML of interfaces: runs in an interpreter that has Nova, and answers lines of JSON with JSON.

A question has "virt_type", "vcpus", "extra_specs", "image" (properties), "options" of the group [libvirt], and either
"vif", an os-vif object's primitive, with its "vnic_type", or "port", a VIF in Nova's own model.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

warnings.simplefilter("ignore")

import nova.conf  # noqa: E402
from nova import objects  # noqa: E402
from nova.network import model  # noqa: E402
from nova.virt.libvirt import vif as libvirt_vif  # noqa: E402

import os_vif  # noqa: E402
from os_vif.objects import base  # noqa: E402


def answer(question: dict[str, Any]) -> str:
    """The XML."""
    for name, value in question["options"].items():
        nova.conf.CONF.set_override(name, value, group="libvirt")
    try:
        return str(_config(question).to_xml())
    finally:
        for name in question["options"]:
            nova.conf.CONF.clear_override(name, group="libvirt")


def _config(question: dict[str, Any]) -> Any:
    driver = libvirt_vif.LibvirtGenericVIFDriver()
    instance = objects.Instance(uuid="5d1e6a2c-7a2e-4b8e-9d5e-3c1f0a9b8c7d")
    image = objects.ImageMeta.from_dict({"properties": question["image"]})
    flavor = objects.Flavor(vcpus=question["vcpus"], extra_specs=question["extra_specs"])
    if "port" in question:
        port = dict(question["port"])
        network = model.Network(id="9e1d", bridge=None, label=None, subnets=[], **port.pop("network", {}))
        vif = model.VIF(network=network, **port)
        return driver.get_config(instance, vif, image, flavor, question["virt_type"])
    vif = base.VersionedObject.obj_from_primitive(question["vif"])
    # Its own model of the port would be translated to this object; what comes after is what is asked for.
    return driver._get_config_os_vif(instance, vif, image, flavor, question["virt_type"], question["vnic_type"])


def main() -> None:
    """Answers until there are no more questions."""
    nova.conf.CONF([], project="nova", default_config_files=[])
    objects.register_all()
    os_vif.initialize()
    for line in sys.stdin:
        print("ANSWER " + json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
