# SPDX-License-Identifier: Apache-2.0
"""Errors of the host: what could not be made, changed or taken away there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from os_vif.exception.base import ExceptionBase


class HostError(ExceptionBase):
    """Something went wrong on the host.

    ``step``, ``device`` and ``vif_id`` are in ``kwargs`` where they are known; ``reason`` holds the words of
    the kernel, of Open vSwitch or of the tool that refused.
    """

    code = "host"


class InvalidRequest(HostError):
    """The VIF asks for something that cannot be done; the host was not touched."""

    code = "invalid-request"
    msg_fmt = "%(field)s: %(reason)s"


class DeviceMissing(HostError):
    """A device that must be there, and that is not ours to make, is not there."""

    code = "device-missing"
    msg_fmt = "Device %(device)s does not exist, and VIF %(vif_id)s needs it."
    hint = "Create it, or correct the name in the configuration or in the network."


class ForeignDevice(HostError):
    """A device that we did not make is in the way."""

    code = "foreign-device"
    msg_fmt = "Device %(device)s is in the way of VIF %(vif_id)s: %(reason)s"
    hint = "os-vif does not touch what it did not make. Remove or rename the device, or use another name."


class UplinkUnsuitable(ForeignDevice):
    """An interface of the host cannot become a port of a bridge of ours without the host losing what it has there."""

    code = "uplink"
    msg_fmt = "Interface %(device)s cannot lead out of the bridge %(bridge)s: %(reason)s"
    hint = (
        "Make a bridge of the host's own, by what configures its network, with the interface as a port and the"
        " addresses on the bridge; then name that bridge (`vif network create --bridge NAME`), and no uplink."
    )


class UplinkNotReady(HostError):
    """After a reboot an interface of the host has no address yet, and it had some that lived on a bridge of ours."""

    code = "uplink-not-ready"
    retriable = True
    msg_fmt = (
        "VIF %(vif_id)s waits for interface %(device)s, which has no address yet and had %(addresses)s before the"
        " reboot: made a port of a bridge now, it would get them where they are of no use."
    )
    hint = (
        "Run `vif restore` when the host's network is configured (After=network-online.target). If the interface is to"
        " have no address any more, unplug or detach the guest, and begin anew."
    )


class NothingLeft(HostError):
    """A VIF is recorded as plugged, and nothing is left of it: somebody else has unplugged it."""

    code = "nothing-left"
    msg_fmt = "VIF %(vif_id)s: %(reason)s."
    hint = (
        "If it is to be here, `vif repair --anew` (os_vif.repair(..., anew=True)) makes it again; if not, `vif unplug"
        " --id` has it forgotten."
    )


class StepFailed(HostError):
    """A step of a plan failed; what had been done before it was undone."""

    code = "step-failed"
    retriable = True
    msg_fmt = "Could not %(step)s (device %(device)s, VIF %(vif_id)s): %(reason)s"


class VerifyFailed(HostError):
    """Every step succeeded, and reading back shows something else than was asked for."""

    code = "verify-failed"
    msg_fmt = "VIF %(vif_id)s: after applying, the host still differs: %(reason)s"


class GatewayLost(HostError):
    """The host reached its gateway by an interface, and could not by the bridge that took its place."""

    code = "gateway-lost"
    msg_fmt = "VIF %(vif_id)s: everything was undone, because %(reason)s."
    hint = (
        "Something lets the interface through and not the bridge: a switch that allows one machine per port, a filter"
        " on bridges (nft, ebtables), an access point. A bridge of the host's own would meet the same."
    )


class UndoFailed(HostError):
    """A step failed, and undoing the steps before it failed too."""

    code = "undo-failed"
    msg_fmt = "%(error)s Undoing failed as well: %(reason)s"
    hint = "`vif gc` removes what is left; `vif check` shows it."


class UnplugIncomplete(HostError):
    """Some steps of an unplug failed; all were tried. ``errors`` holds one error per failed step."""

    code = "unplug-incomplete"
    retriable = True
    hint = "Unplug again once the causes are gone; what was removed stays removed."

    def __init__(self, errors: Sequence[HostError] | str = (), **kwargs: Any) -> None:
        self.errors = () if isinstance(errors, str) else tuple(errors)
        text = errors if isinstance(errors, str) else " ".join(str(error) for error in errors)
        super().__init__(text, **kwargs)


class DeadlineExceeded(HostError):
    """Something took longer than the caller allows."""

    code = "deadline"
    retriable = True
    msg_fmt = "Gave up after %(seconds)s seconds while waiting for %(what)s."


class NotPermitted(HostError):
    """The caller may not change this host's network, and no privileged helper could be reached."""

    code = "not-permitted"
    msg_fmt = "Not permitted to %(what)s: %(reason)s"
    hint = "Run as root or with CAP_NET_ADMIN, or install oslo.privsep and configure its helper_command."


class BackendUnavailable(HostError):
    """A resource is of a backend that no installed package brings, or whose package cannot be used."""

    code = "backend-unavailable"
    msg_fmt = "The backend %(backend)s cannot be used: %(reason)s"
    hint = (
        "Install the package again, as it was when the VIF was plugged, or mend it. Meanwhile `vif unplug --id` takes"
        " away all else of a VIF, and what the package made stays; if it is gone for good, `vif journal forget` has"
        " that forgotten."
    )


class BackendFailed(HostError):
    """A backend of a third party did something that backends do not do."""

    code = "backend-failed"
    msg_fmt = "The backend %(backend)s (%(origin)s) failed in %(method)s(): %(reason)s"
    hint = "That is a fault of the package: report it to whoever wrote it. The host is as the last step left it."


class NotRecorded(HostError):
    """Something was asked of a VIF by its id, and no VIF of that id is recorded here."""

    code = "not-recorded"
    msg_fmt = "No VIF %(vif_id)s is recorded in this network namespace."
    hint = "`vif list` shows what is; a VIF can be unplugged without a record too, from its serialized form."


class JournalError(HostError):
    """The journal cannot be used."""

    code = "journal"
    msg_fmt = "The journal %(path)s cannot be used: %(reason)s"


class JournalBusy(JournalError):
    """Somebody else keeps the journal locked."""

    code = "journal-busy"
    retriable = True
    msg_fmt = "The journal %(path)s cannot be used: %(who)s keeps it locked; the call has waited %(seconds)s seconds."


class RecordDamaged(JournalError):
    """One row of the journal cannot be read; the others can."""

    code = "record-damaged"
    msg_fmt = "%(what)s in %(path)s cannot be read: %(reason)s"
    hint = (
        "Unplug the VIF, or plug it again, with what the caller knows of it: that goes by the marks on what was made,"
        " and the record is then gone, or new. `vif journal verify` shows all that cannot be read."
    )


class UntrustedFile(JournalError):
    """A file or directory of ours that somebody else could have put there, or could exchange: it is not opened."""

    code = "untrusted-file"
    msg_fmt = "%(path)s is not used: %(reason)s."
    hint = (
        "See what it is (`ls -ld`), and remove it if it is not yours. A state directory is to belong to root or to the"
        " service that uses it, and nobody else may write in it: `install -d -o OWNER -m 0700 DIRECTORY`."
    )
