# SPDX-License-Identifier: Apache-2.0
"""Network drivers with a fault each, for the conformance kit to find. Not collected by itself."""

from __future__ import annotations

import dataclasses
import tempfile
import uuid
from pathlib import Path

from os_vif import exception
from os_vif.networks.local.driver import LocalDriver
from os_vif.testing.conformance.networks import NetworkDriverConformance
from support.network_side import Side


class Forgetful(LocalDriver):
    """A port for each time it is asked."""

    def bind(self, request):
        request = request.obj_clone()
        request.key = str(uuid.uuid4())
        return super().bind(request)


class Leaky(LocalDriver):
    """What it refuses it has made before."""

    def bind(self, request):
        try:
            return super().bind(request)
        except exception.BindingRefused:
            sound = request.obj_clone()
            sound.key = f"{request.key}-left"
            sound.offer.candidates = TestLeaky().make_offer().candidates
            super().bind(sound)
            raise


class Wilful(LocalDriver):
    """Its own order goes before the hypervisor's."""

    def bind(self, request):
        turned = request.obj_clone()
        turned.offer.candidates = list(reversed(turned.offer.candidates))
        return super().bind(turned)


class Gullible(LocalDriver):
    """Whoever asks may activate."""

    def activate(self, port_id, host, generation):
        known = next((found for found in self.show(port_id).bindings if found.host == host), None)
        super().activate(port_id, host, known.generation if known else generation)


class Hoarder(LocalDriver):
    """Ports stay when their bindings go."""

    def unbind(self, port_id, host):
        if len(self.show(port_id).bindings) > 1:
            super().unbind(port_id, host)


class Patient(LocalDriver):
    """Nothing ever lapses."""

    def lapsed(self, now):
        return []


class Hasty(LocalDriver):
    """The second binding is active at once."""

    def show(self, port_id):
        port = super().show(port_id)
        active = [dataclasses.replace(binding, status="ACTIVE") for binding in port.bindings]
        return dataclasses.replace(port, bindings=tuple(active))


class Acting(LocalDriver):
    """It decides by doing."""

    def decide(self, request):
        decision = super().decide(request)
        if decision.choice:
            super().bind(request)
        return decision


class _Broken(NetworkDriverConformance):
    __test__ = False
    types = ("bridge", "tap")
    kind = LocalDriver

    def prepare(self):
        self.side = Side(Path(tempfile.mkdtemp()) / "networks.db")
        self.side.create("blue")

    def make_driver(self):
        return self.kind("local", self.side.config)


class TestSound(_Broken):
    kind = LocalDriver


class TestForgetful(_Broken):
    kind = Forgetful


class TestLeaky(_Broken):
    kind = Leaky


class TestWilful(_Broken):
    kind = Wilful


class TestGullible(_Broken):
    kind = Gullible


class TestHoarder(_Broken):
    kind = Hoarder


class TestPatient(_Broken):
    kind = Patient


class TestHasty(_Broken):
    kind = Hasty


class TestActing(_Broken):
    kind = Acting
