# SPDX-License-Identifier: Apache-2.0
"""Upstream os-vif as a process that plugs what it is told to: a JSON request per line in, a JSON answer per line out.

Run by the interpreter that has upstream; its argument is the plugin, "ovs" if there is none. A request is [options,
"plug" or "unplug", VIF, instance], the latter two in their wire form; the answer is null, or the text of the error.
"""

import importlib
import json
import os
import sys


def main() -> None:
    """Serves until its standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed
    from oslo_config import cfg

    import os_vif
    from os_vif.objects import base

    plugin = sys.argv[1] if len(sys.argv) > 1 else "ovs"
    privsep = importlib.import_module(f"vif_plug_{plugin}.privsep")
    os_vif.initialize()
    cfg.CONF([], project="os-vif-tests", default_config_files=[])
    privsep.vif_plug.set_client_mode(False)
    current = None
    for line in sys.stdin:
        options, action, *objects = json.loads(line)
        if options != current:
            for name in cfg.CONF[f"os_vif_{plugin}"]:
                cfg.CONF.clear_override(name, f"os_vif_{plugin}")
            for name, value in options.items():
                cfg.CONF.set_override(name, value, f"os_vif_{plugin}")
            os_vif.initialize(reset=True)
            current = options
        error = None
        try:
            vif, instance = (base.VersionedObject.obj_from_primitive(text) for text in objects)
            getattr(os_vif, action)(vif, instance)
        except Exception as problem:
            error = str(problem) or repr(problem)
        answers.write(json.dumps(error) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
