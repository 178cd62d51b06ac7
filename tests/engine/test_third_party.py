# SPDX-License-Identifier: Apache-2.0
"""Backends of third parties, seen by the engine: their names, and what is refused before the host is touched."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from os_vif import exception
from os_vif.host import state
from os_vif.host.engine.request import Request
from os_vif.host.state import HostState, Tap
from os_vif.testing import FakeHost, engine_on
from support.packages import FLAGS, Packages

FAULT = "That is a fault of the package: report it to whoever wrote it. Nothing was touched."


@pytest.fixture
def flags(tmp_path, monkeypatch):
    """The directory of flags."""
    directory = tmp_path / "flags"
    directory.mkdir()
    monkeypatch.setenv("FLAGS", str(directory))
    return directory


@pytest.fixture
def packages(tmp_path, flags):
    with pytest.MonkeyPatch.context() as patch:
        made = Packages(tmp_path, patch)
        yield made
    made.look_again()


@pytest.fixture
def with_flags(packages):
    packages.install("vif-flags", {"flag": "flags:FlagBackend"}, {"flags": FLAGS})
    return packages


def flag(name="red", **fields):
    import flags

    return flags.Flag(name=name, **fields)


def request(*resources, number=1):
    return Request(f"vif-{number}", "some", HostState(resources), "os_vif.privsep", {"number": number})


def refusal(act, *arguments):
    with pytest.raises(exception.BackendUnavailable) as caught:
        act(*arguments)
    return str(caught.value), caught.value.hint


def test_it_is_used_like_ours(with_flags, flags, tmp_path):
    """Made beside a tap, read from the journal by a process that starts later, changed, and taken away."""
    host = FakeHost()
    engine_on(host, tmp_path).plug([request(Tap(name="tap1"), flag())])
    assert (flags / "red").read_text() == "up"
    later = engine_on(host, tmp_path)
    assert [held.resource.label for held in later.journal.holdings(later.scope(), "vif-1")] == ["tap tap1", "flag red"]
    later.plug([request(Tap(name="tap1"), flag(word="half-mast"))])
    assert (flags / "red").read_text() == "half-mast"
    later.unplug([request()])
    assert (list(flags.iterdir()), set(host.links)) == ([], {"lo"})


def test_two_packages_of_one_name_are_both_refused(with_flags, flags):
    """Which of them a record means cannot be told. All else goes on."""
    with_flags.install("other-flags", {"flag": "other:Other"}, {"other": ""})
    host = FakeHost()
    engine = engine_on(host)
    assert refusal(engine.plug, [request(Tap(name="tap1"), flag())]) == (
        (
            "The backend flag cannot be used: other:Other of other-flags 1.0 and flags:FlagBackend of vif-flags 1.0"
            " have the same name."
        ),
        "Uninstall all of them but the one that plugged what is recorded.",
    )
    assert (list(flags.iterdir()), set(host.links)) == ([], {"lo"})
    engine.plug([request(Tap(name="tap1"))])
    assert "tap1" in host.links


def test_the_name_of_a_backend_of_ours_is_not_given_away(packages, caplog):
    """The entry point is told of, and not used."""
    packages.install("imposter", {"link": "imposter:Link"}, {"imposter": "raise SystemError"})
    host = FakeHost()
    engine = engine_on(host)
    with caplog.at_level(logging.WARNING):
        assert list(engine.backends) == ["link", "addresses", "firewall", "ovs"]
    assert "imposter" not in engine.backends
    assert caplog.messages == ["imposter:Link of imposter 1.0 is not used: the backend link is os-vif's own."]
    engine.plug([request(Tap(name="tap1"))])
    assert "tap1" in host.links


def test_a_type_that_a_backend_of_ours_cannot_know_is_refused(with_flags):
    """Where the class is made, so that nobody goes further with it."""
    with_flags.install("wrong", {"wrong": "wrong:Wrong"}, {"wrong": FLAGS.replace('= "flag"', '= "link"')})
    assert refusal(state.third_party.load, "wrong") == (
        (
            "The backend link cannot be used: wrong.Flag says it is of it, and it is os-vif's own, which knows nothing"
            " of that type."
        ),
        FAULT,
    )


DERIVED = """
from dataclasses import dataclass
from os_vif.backend import resource_type
from os_vif.host import state

@resource_type
@dataclass(frozen=True, kw_only=True)
class {name}(state.Tap):
    '''A tap by another name.'''
"""


def test_a_type_that_is_one_of_ours_with_more_to_it_is_welcome(packages, tmp_path):
    """Our backend knows it, and the journal finds it."""
    packages.install("taps", {"unused": "taps:FineTap"}, {"taps": DERIVED.format(name="FineTap")})
    import taps

    host = FakeHost()
    engine_on(host, tmp_path).plug([request(taps.FineTap(name="tap1"))])
    engine = engine_on(host, tmp_path)
    assert type(engine.journal.holdings(engine.scope(), "vif-1")[0].resource) is taps.FineTap


def test_the_name_of_a_type_of_ours_is_not_given_away(packages):
    """Records that tell of taps would be read as something else."""
    packages.install("taps", {"taps": "taps:Backend"}, {"taps": DERIVED.format(name="Tap")})
    assert refusal(state.third_party.load, "taps") == (
        "The backend link cannot be used: taps.Tap has the same name as os_vif.host.state.links.Tap.",
        FAULT,
    )
    assert type(state.from_primitive({"resource": "Tap", "name": "tap1"})) is Tap


def test_what_no_record_could_give_back_is_refused_before_anything_is_done(packages, flags):
    """A type without @resource_type would be plugged, and never unplugged."""
    packages.install("vif-flags", {"flag": "flags:FlagBackend"}, {"flags": FLAGS.replace("@resource_type", "")})
    host = FakeHost()
    assert refusal(engine_on(host).plug, [request(Tap(name="tap1"), flag())]) == (
        "The backend flag cannot be used: its type flags.Flag is not known to the journal; @resource_type makes it so.",
        FAULT,
    )
    assert (list(flags.iterdir()), set(host.links)) == ([], {"lo"})


PLUGS_A_TAP = """
import sys
from os_vif.host.engine.request import Request
from os_vif.host.engine.engine import Engine
from os_vif.host.journal.journal import Journal
from os_vif.host.journal.locks import Locks
from os_vif.host.state import HostState, Tap
from os_vif.testing import FakeHost
before = set(sys.modules)
engine = Engine(FakeHost(), Journal(":memory:"), Locks(None))
engine.plug([Request("vif-1", "some", HostState((Tap(name="tap1"),)), "os_vif.privsep", {})])
from os_vif.host.state import third_party
print(third_party._entry_points.cache_info().currsize)
"""


def test_nobody_looks_for_backends_of_others_without_need():
    """Reading what is installed costs more than plugging a tap."""
    ran = subprocess.run([sys.executable, "-c", PLUGS_A_TAP], capture_output=True, text=True, check=True)
    assert ran.stdout == "0\n"
    code = "import sys, os_vif.host.state; print('importlib.metadata' in sys.modules)"
    ran = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


@pytest.fixture
def lying(packages):
    """Has flags by a backend with some of its methods overwritten: lying("def run(self, ...): ...")."""

    def install(text, name="liars"):
        body = "".join(f"    {line}\n" for line in text.splitlines())
        source = f"{FLAGS}\n\nfrom os_vif import exception\n\nclass Liar(FlagBackend):\n{body}"
        packages.install(name, {"flag": "flags:Liar"}, {"flags": source})
        return name

    return install


LIES = {
    "a step that is none": (
        "def converge(self, resource, actual, purpose): return Outcome(Holding(resource), ('step',))",
        "it returned 'step', which is no Step.",
    ),
    "a holding that is none": (
        "def converge(self, resource, actual, purpose): return Outcome(None)",
        "it returned None, which is no Holding.",
    ),
    "a holding of something else": (
        "def converge(self, resource, actual, purpose): return Outcome(Holding(Flag(name='blue')))",
        "it holds Flag(shared=False, name='blue', word='up') for Flag(shared=False, name='red', word='up').",
    ),
    "a step that is not plain data": (
        "def _operation(self, what, name, word=''): return Operation('flag.write', {'name': {name}})",
        "its step 'raise flag red' is not plain data: Object of type set is not JSON serializable.",
    ),
    "a memory that the journal cannot keep": (
        "def converge(self, resource, actual, purpose): return Outcome(Holding(resource, prior={'index': 'one'}))",
        "the journal cannot keep what was there before: what was there before has 'one' as 'index'.",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_a_backend_answers_is_looked_at(lying, flags, lie):
    """Before anything is done, and with the package's name."""
    text, words = LIES[lie]
    lying(text)
    host = FakeHost()
    with pytest.raises(exception.BackendFailed) as caught:
        engine_on(host).plug([request(Tap(name="tap1"), flag())])
    assert str(caught.value) == f"The backend flag (flags:Liar of liars 1.0) failed in converge(): {words}"
    assert (list(flags.iterdir()), set(host.links)) == ([], {"lo"})


def test_a_step_that_does_nothing_is_found_out(lying, flags):
    """What was done before is undone."""
    lying("def run(self, operations, context): pass")
    host = FakeHost()
    with pytest.raises(exception.VerifyFailed) as caught:
        engine_on(host).plug([request(Tap(name="tap1"), flag())])
    assert str(caught.value) == "VIF vif-1: after applying, the host still differs: still to do: raise flag red."
    assert (list(flags.iterdir()), set(host.links)) == ([], {"lo"})


NOT_PERMITTED = "raise exception.NotPermitted(what='raise flags', reason='nobody may.')"


def test_what_may_not_be_done_takes_back_what_others_have_done(lying, flags):
    """The error stays what it is, although the way back of that backend is barred as well."""
    lying(f"def run(self, operations, context): {NOT_PERMITTED}")
    host = FakeHost()
    with pytest.raises(exception.NotPermitted) as caught:
        engine_on(host).plug([request(Tap(name="tap1"), flag(), Tap(name="tap2"))])
    assert str(caught.value) == "Not permitted to raise flags: nobody may."
    assert (list(flags.iterdir()), set(host.links)) == ([], {"lo"})


def test_a_failure_in_undoing_keeps_nothing_else(lying, flags):
    """The tap goes although the flag before it cannot be lowered."""
    lying(
        "def run(self, operations, context):\n"
        "    if operations[0].name == 'flag.delete': 1 / 0\n"
        "    super().run(operations, context)"
    )
    host = FakeHost()
    host.fail_at("tap.add", device="tap2")
    with pytest.raises(exception.UndoFailed) as caught:
        engine_on(host).plug([request(Tap(name="tap1"), flag(), Tap(name="tap2"))])
    assert "could not undo 'raise flag red': the backend flag (flags:Liar of liars 1.0) failed in run():" in str(
        caught.value
    )
    assert ([path.name for path in flags.iterdir()], set(host.links)) == (["red"], {"lo"})


@pytest.mark.parametrize(
    "failure",
    ["1 / 0", NOT_PERMITTED, "raise exception.HostError('stuck.')", "raise OperationFailed(0, 5, 'stuck')"],
    ids=["lie", "refusal", "error", "failure"],
)
def test_unplugging_tries_everything_else(lying, packages, tmp_path, flags, failure):
    """A flag that cannot be lowered keeps neither the flag after it nor the tap before it."""
    packages.install("vif-flags", {"flag": "flags:FlagBackend"}, {"flags": FLAGS})
    host = FakeHost()
    engine_on(host, tmp_path).plug([request(Tap(name="tap1"), flag("red"), Tap(name="tap2"), flag("blue"))])
    packages.uninstall("vif-flags")
    body = f"    if operations[0].arguments['name'] == 'blue': {failure}\n    super().run(operations, context)"
    lying(f"def run(self, operations, context):\n{body}")
    with pytest.raises(exception.UnplugIncomplete) as caught:
        engine_on(host, tmp_path).unplug([request()])
    assert len(caught.value.errors) == 1
    assert ([path.name for path in flags.iterdir()], set(host.links)) == (["blue"], {"lo"})


def test_how_far_a_broken_backend_came_is_not_guessed(lying, packages, tmp_path, flags):
    """Of three flags in a row the first and the last are lowered, whatever happened to the call for all of them."""
    packages.install("vif-flags", {"flag": "flags:FlagBackend"}, {"flags": FLAGS})
    host = FakeHost()
    engine_on(host, tmp_path).plug([request(*map(flag, ("red", "blue", "white")))])
    packages.uninstall("vif-flags")
    lying(
        "def _do(self, what, arguments):\n"
        "    if arguments['name'] == 'blue': raise KeyError('blue')\n"
        "    super()._do(what, arguments)"
    )
    with pytest.raises(exception.UnplugIncomplete) as caught:
        engine_on(host, tmp_path).unplug([request()])
    assert str(caught.value) == (
        "Could not lower flag blue (device blue, VIF vif-1): the backend flag (flags:Liar of liars 1.0) failed in"
        " run(): KeyError('blue')"
    )
    assert [path.name for path in flags.iterdir()] == ["blue"]


def test_what_no_vif_uses_is_told_of_until_the_next_boot(with_flags, tmp_path):
    """A reboot takes it from the host; what VIFs use is to be restored then."""
    host = FakeHost()
    engine_on(host, tmp_path).plug([request(flag("red")), request(flag("blue"), number=2)])
    with_flags.uninstall("vif-flags")
    engine = engine_on(host, tmp_path)
    engine.unplug([request()])
    told = [(one.vif_id, one.resource.label) for one in engine.journal.stranded(host.boot_id())]
    assert told == [("vif-2", "flag blue"), ("", "flag red")]
    host.reboot()
    told = [(one.vif_id, one.resource.label) for one in engine.journal.stranded(host.boot_id())]
    assert told == [("vif-2", "flag blue")]
