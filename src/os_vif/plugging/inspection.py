# SPDX-License-Identifier: Apache-2.0
"""Looking without touching: what plugging would do, and whether a host is as it should be."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from os_vif import exception
from os_vif.plugging import apply, current, requests

if TYPE_CHECKING:
    from os_vif.host.contract.degradation import Degradation
    from os_vif.host.contract.plan import Plan, Step
    from os_vif.host.engine.request import Request

T = TypeVar("T")


class CheckState(enum.StrEnum):
    """What a check comes to; why there are three: docs/adr/0015-honest-check.md."""

    OK = "ok"  #: everything is as it was asked for, and nothing is known that cuts the guest off
    DEGRADED = "degraded"  #: everything is as it was asked for; the guest is cut off, or likely so, by something else
    DIFFERS = "differs"  #: something that os-vif made, or was asked for, is not so


@dataclass(frozen=True)
class CheckResult:
    """``differences`` say what is not as it should be, in words; ``repairable`` whether repair() can put it right.

    ``degradations`` say what else cuts the guest off, or is likely to; what of it can be changed is not for us to
    change. ``gone``: nothing is left of it, and repair() makes it again only if it is told to.
    """

    vif_id: str
    differences: tuple[str, ...] = ()
    repairable: bool = True
    degradations: tuple[Degradation, ...] = ()
    gone: bool = False

    @property
    def state(self) -> CheckState:
        """The worst of what was found."""
        if self.differences:
            return CheckState.DIFFERS
        return CheckState.DEGRADED if self.degradations else CheckState.OK

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return self.state is CheckState.OK


def plan(vif: Any, instance_info: Any) -> Plan:
    """See os_vif.plan()."""
    return plan_many([(vif, instance_info)])


def plan_unplug(vif: Any, instance_info: Any) -> Plan:
    """See os_vif.plan_unplug()."""
    return plan_unplug_many([(vif, instance_info)])


def plan_many(pairs: Sequence[tuple[Any, Any]]) -> Plan:
    """See os_vif.plan_many()."""
    batch = [requests.request(apply.declarative(vif), vif, info) for vif, info in pairs]
    return _only_looking(lambda: current.engine().plan(batch))


def plan_unplug_many(pairs: Sequence[tuple[Any, Any]]) -> Plan:
    """See os_vif.plan_unplug_many()."""
    batch = [requests.request_to_leave(apply.declarative(vif), vif, info) for vif, info in pairs]
    return _only_looking(lambda: current.engine().plan_unplug(batch))


def check(vif: Any, instance_info: Any) -> CheckResult:
    """See os_vif.check()."""
    plugin, silent = apply.declarative(vif), requests.is_silent(vif)
    vif_id = requests.identity(vif)
    try:
        request = requests.request(plugin, vif, instance_info, silent=silent)
        guest = requests.request_of_guest(plugin, vif, instance_info)
        steps = list(_only_looking(lambda: current.engine().plan([request])))
        if not (silent or any(map(_is_rename, steps))):
            steps += _only_looking(lambda: _guest(guest))
        missing_all = bool(steps) and _only_looking(lambda: _is_gone(request, guest))
        if missing_all:
            return CheckResult(vif_id, (_what_is_gone(),), repairable=False, gone=True)
    except (exception.ForeignDevice, exception.DeviceMissing, exception.UplinkUnsuitable) as error:
        return CheckResult(vif_id, (str(error),), repairable=False)
    differences = tuple(map(_difference, steps))
    return CheckResult(vif_id, differences, degradations=() if silent else _degradations(vif, request, guest))


def _is_gone(request: Request, guest: Request) -> bool:
    from os_vif.host.engine import gone

    return gone.is_gone(current.engine(), request, guest)


def _what_is_gone() -> str:
    from os_vif.host.engine import gone

    return gone.TEXT


def _is_rename(step: Step) -> bool:
    return step.operation.name == "link.rename"


def _difference(step: Step) -> str:
    if _is_rename(step):
        return f"{step.device} was renamed to {step.operation.arguments['name']}"
    return f"not done: {step.text}"


def _guest(request: Request) -> Plan:
    from os_vif.host.engine import expected

    return expected.look(current.engine(), request)


def _degradations(vif: Any, request: Request, guest: Request) -> tuple[Degradation, ...]:
    from os_vif.host.contract.degradation import Guest
    from os_vif.host.diagnosis import diagnosis
    from os_vif.host.process import patience
    from os_vif.objects.reading import stated

    engine = current.engine()
    resources = (*request.resolved(engine.host).desired, *guest.desired)
    known = Guest(str(stated(vif, "address", default="")), tuple(_addresses(vif)))
    with patience.looking():
        return diagnosis.degradations(engine.host, engine.backends, resources, known, request.context)


def _addresses(vif: Any) -> list[str]:
    """The IP addresses that the network gave to the VIF, as far as the VIF tells."""
    from os_vif.objects.reading import stated

    subnets = stated(vif, "network", "subnets", "objects", default=())
    fixed = [ip for subnet in subnets for ip in stated(subnet, "ips", "objects", default=())]
    return [str(ip.address) for ip in fixed if stated(ip, "address")]


def _only_looking(look: Callable[[], T]) -> T:
    from os_vif.host.process import patience

    with patience.looking():
        return look()
