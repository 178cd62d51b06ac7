# SPDX-License-Identifier: Apache-2.0
"""The options of the plugins, as oslo-config-generator tells of them: all of upstream's, with the same defaults."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GENERATE = ("-W", "ignore", "-m", "oslo_config.generator", "--namespace", "os_vif", "--format", "json")
# The generator leaves groups without options out; os_vif_noop is one.
GROUPS = "import json; from os_vif import opts; print(json.dumps([group for group, _ in opts.list_plugins_opts()]))"

#: Limits that upstream does not have: with a value beyond, upstream fails when it plugs.
LIMITS = {("network_device_mtu", "min"): 68, ("network_device_mtu", "max"): 65535, ("ovs_vsctl_timeout", "min"): 0}

Options = dict[str, dict[str, dict[str, Any]]]


def differences(ours: Path, upstream: Path) -> tuple[Options, list[str]]:
    """Upstream's options by group and name, and where those of this checkout are not the same."""
    expected, found = read(upstream), read(ours)
    return expected, list(_differences(expected, found))


def read(python: Path) -> Options:
    """All options by group and name."""
    groups: Options = {name: {} for name in json.loads(_output(python, "-c", GROUPS))}
    for name, group in json.loads(_output(python, *GENERATE))["options"].items():
        if name in groups:
            groups[name] = {option["name"]: option for option in group["opts"]}
    return groups


def _output(python: Path, *arguments: str) -> str:
    ran = subprocess.run([python, *arguments], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(f"{python} {' '.join(arguments)}:\n{ran.stderr}")
    return ran.stdout


def _differences(expected: Options, found: Options) -> Iterator[str]:
    for group, options in expected.items():
        if group not in found:
            yield f"[{group}] is missing"
            continue
        for name, option in options.items():
            if name not in found[group]:
                yield f"[{group}] {name} is missing"
                continue
            yield from (f"[{group}] {name}: {text}" for text in _option(option, found[group][name]))


def _option(expected: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    for aspect in ("type", "default", "deprecated_opts"):
        if expected[aspect] != found[aspect]:
            yield f"{aspect} is {found[aspect]!r}, upstream's {expected[aspect]!r}"
    if missing := {value for value, _ in expected["choices"]} - {value for value, _ in found["choices"]}:
        yield f"the choices {sorted(missing)} are missing"
    for limit in ("min", "max"):
        if found[limit] not in (None, expected[limit], LIMITS.get((found["name"], limit))):
            yield f"{limit} is {found[limit]}, upstream's {expected[limit]}"
