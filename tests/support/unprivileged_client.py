# SPDX-License-Identifier: Apache-2.0
"""A service that runs as an ordinary user: plugs and unplugs what it is told, and prints what came of it as JSON.

Arguments: the user id to become; the package with the privileged helper; "root-helper" or "helper-command" and that
command; what it is to be started with; what to do ("plug", "unplug"); options of the plugin, and the VIF in its wire
form, as JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import shlex
import sys
import tempfile
from pathlib import Path

from oslo_config import cfg
from oslo_privsep import priv_context

import os_vif
import os_vif.host
from os_vif import exception, objects
from os_vif.host.access import privileged
from os_vif.objects.base import VersionedObject


def main() -> None:
    uid, helper, how, command, arguments, actions, options, text = sys.argv[1:]
    prepare(helper, how, command, arguments)
    vif = VersionedObject.obj_from_primitive(json.loads(text))
    for name, value in json.loads(options).items():
        cfg.CONF.set_override(name, value, group=f"os_vif_{vif.plugin}")
    become(int(uid))
    instance = objects.instance_info.InstanceInfo(uuid="5d1e6a2c-7a2e-4b8e-9d5e-3c1f0a9b8c7d", name="guest")
    # The helper is told of its socket, which is in there: so ours is known among those of others on this machine.
    with tempfile.TemporaryDirectory(prefix="os-vif-helper-") as tempfile.tempdir:
        results = [attempt(helper, action, vif, instance) for action in actions.split(",")]
    print(json.dumps({"uid": os.geteuid(), "privileged": privileged.may_change_network(), "results": results}))


def prepare(helper: str, how: str, command: str, arguments: str = "") -> None:
    """Loads what is needed while it can be read: the user it becomes may not be let into Python's directories."""
    os_vif.initialize()
    for package in (os_vif, os_vif.host, objects):
        for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            if module.name.split(".")[-1] not in ("cli", "testing"):
                importlib.import_module(module.name)
    importlib.import_module(f"{helper}.privsep")
    cfg.CONF([], project="os-vif-tests", default_config_files=[])
    if how == "root-helper":
        priv_context.init(shlex.split(command))
    else:
        cfg.CONF.set_override("helper_command", f"{command} privsep-helper {arguments}", group=f"{helper}_privileged")


def become(uid: int) -> None:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def attempt(helper: str, action: str, vif: object, instance: object) -> dict[str, object]:
    try:
        getattr(os_vif, action)(vif, instance)
    except exception.ExceptionBase as error:
        return {"error": str(error), "cause": type(error.__cause__).__name__}
    return {"helpers": helpers(f"{helper}.privsep.vif_plug")}


def helpers(context: str) -> list[str]:
    """The effective capabilities of each privileged helper that runs for this process."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if context.encode() in command and str(tempfile.tempdir).encode() in command:
                status = (process / "status").read_text().splitlines()
                found.append(next(line.split()[1] for line in status if line.startswith("CapEff:")))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


if __name__ == "__main__":
    main()
