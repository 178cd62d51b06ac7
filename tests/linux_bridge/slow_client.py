# SPDX-License-Identifier: Apache-2.0
"""A service that is slow to plug: it prints a line before each step, and waits a moment.

Arguments: the state directory; "main" or "thread", which does the work; the VIF in its wire form, as JSON.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from pathlib import Path

import os_vif
from os_vif import objects
from os_vif.host.access.host import RealHost
from os_vif.host.contract.plan import Step
from os_vif.host.engine.engine import Engine
from os_vif.host.journal.store import open_store
from os_vif.objects.base import VersionedObject
from os_vif.plugging import current


def main() -> None:
    directory, who, text = sys.argv[1:]
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it would be ignored
    os_vif.initialize()
    store = open_store(Path(directory))
    current.use(Engine(RealHost(), store.journal, store.locks, observer=slowly))
    vif = VersionedObject.obj_from_primitive(json.loads(text))
    instance = objects.instance_info.InstanceInfo(uuid="5d1e6a2c-7a2e-4b8e-9d5e-3c1f0a9b8c7d", name="guest")
    work = threading.Thread(target=os_vif.plug, args=(vif, instance))
    if who == "thread":
        work.start()
        work.join()
    else:
        work.run()
    print("returned", flush=True)
    time.sleep(60)


def slowly(when: str, step: Step) -> None:
    if when == "before":
        print(step.text, flush=True)
        time.sleep(0.1)


main()
