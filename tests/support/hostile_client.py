# SPDX-License-Identifier: Apache-2.0
"""A service that was taken over: as an ordinary user, it asks its privileged helper for whatever it likes.

Arguments: the user id to become; the package with the privileged helper; the command that gives the helper its rights,
and what that is started with. Reads calls from its standard input, {"why": operations}, or {"why": {"function":
name, "arguments": [...]}}; prints the answers: [done, errno, words], or ["raised", ...].
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
from typing import Any

import unprivileged_client
from oslo_privsep import comm


def main() -> None:
    uid, helper, command, arguments = sys.argv[1:]
    calls = json.load(sys.stdin)
    unprivileged_client.prepare(helper, "helper-command", command, arguments)
    privsep = importlib.import_module(f"{helper}.privsep")
    unprivileged_client.become(int(uid))
    with tempfile.TemporaryDirectory(prefix="os-vif-helper-") as tempfile.tempdir:
        privsep.vif_plug.start()
        print(json.dumps({why: answer(privsep, call) for why, call in calls.items()}))


def answer(privsep: Any, call: Any) -> Any:
    name, arguments = f"{privsep.__name__}.run", [call]
    if isinstance(call, dict):
        name, arguments = call["function"], call["arguments"]
    kind, *rest = privsep.vif_plug.channel.send_recv((comm.Message.CALL.value, name, arguments, {}))
    return rest[0] if kind == comm.Message.RET.value else ["raised", *rest[:2]]


if __name__ == "__main__":
    main()
