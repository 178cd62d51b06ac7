# SPDX-License-Identifier: Apache-2.0
"""The process of NeutronServer: Neutron's API, served by waitress. Run by the Python of .venv-neutron.

serve.py DIRECTORY; every line on stdin is an agent's report as JSON, answered by a line on stdout. The first line on
stdout is the port that it listens on. When stdin ends, so does the process: nothing outlives a killed test run.
"""

from __future__ import annotations

import datetime
import json
import os
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

_one_at_a_time = threading.RLock()


def main(directory: str) -> None:
    """Serves until stdin ends."""
    answers = _own_stdout()
    os.environ["OS_NEUTRON_CONFIG_DIR"] = directory
    os.environ["OS_NEUTRON_CONFIG_FILES"] = "neutron.conf"
    sys.argv = ["neutron-api"]  # Neutron reads the command line while it is imported

    import waitress
    from neutron.wsgi.api import application

    listening = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_take_reports, args=(answers,), daemon=True).start()
    print(listening.getsockname()[1], file=answers, flush=True)
    waitress.serve(_serialised(application), sockets=[listening], threads=4, _quiet=True)


def _own_stdout() -> Any:
    """What was stdout; whatever Neutron prints goes to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def _serialised(application: Callable[..., Any]) -> Callable[..., Any]:
    """One request at a time: with SQLite, Neutron answers that the database is locked otherwise."""

    def call(*arguments: Any) -> Any:
        with _one_at_a_time:
            return application(*arguments)

    return call


def _take_reports(answers: Any) -> None:
    for line in sys.stdin:
        print(json.dumps(_report(json.loads(line))), file=answers, flush=True)
    os._exit(0)


def _report(agent: dict[str, Any]) -> str:
    from neutron.db import agents_db
    from neutron_lib import context

    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)  # noqa: UP017 (as Neutron has it)
    state = {"agent_state": {**agent, "start_flag": True}}
    try:
        with _one_at_a_time:
            handler = agents_db.AgentExtRpcCallback()
            return str(handler.report_state(context.get_admin_context(), agent_state=state, time=now.isoformat()))
    except Exception as error:  # told to whoever reports
        return f"failed: {error!r}"


if __name__ == "__main__":
    main(sys.argv[1])
