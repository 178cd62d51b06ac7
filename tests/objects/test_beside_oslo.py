# SPDX-License-Identifier: Apache-2.0
"""Living with oslo.versionedobjects in one process, whichever is imported first. Each test has processes of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from objects.conftest import DATA
from support import require

SCRIPT = Path(__file__).with_name("kuryr_like.py")

FIRST = {
    "oslo": "import oslo_versionedobjects.base; from os_vif import objects; objects.register_all()",
    "ours": "from os_vif import objects; objects.register_all(); import oslo_versionedobjects.base",
    "modules": "import os_vif.objects.vif, os_vif.objects.host_info, os_vif.objects.instance_info;"
    "import oslo_versionedobjects.fixture",
}


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(autouse=True)
def _oslo() -> None:
    require(module="oslo_versionedobjects", package="oslo.versionedobjects")
    require(module="fixtures")


@pytest.mark.parametrize("first", FIRST)
def test_its_registry_has_our_classes_and_its_checker_their_fingerprints(first: str) -> None:
    """Exactly the 31 classes are in oslo's registry, and its own checker hashes them as it hashes upstream's."""
    code = f"""
        {FIRST[first]}
        import json
        from oslo_versionedobjects import base, fixture
        told = json.load(open({str(DATA / "objects.json")!r}))
        classes = base.VersionedObjectRegistry.obj_classes()
        assert {{name: len(found) for name, found in classes.items()}} == dict.fromkeys(told, 1), classes
        hashes = fixture.ObjectVersionChecker(classes).get_hashes()
        assert hashes == {{name: facts["fingerprint"] for name, facts in told.items()}}
    """
    python(code)


def test_its_compatibility_routines_run_over_our_classes() -> None:
    """oslo's checker asks every class to write itself at every older version; ours can."""
    python(
        """
        from os_vif import objects; objects.register_all()
        from oslo_versionedobjects import base, fixture
        fixture.ObjectVersionChecker(base.VersionedObjectRegistry.obj_classes()).test_compatibility_routines()
        """
    )


def test_registering_again_leaves_the_registry_alone() -> None:
    """Neither a second register_all() nor a class registered with us alone adds to oslo's registry."""
    python(
        """
        from os_vif import objects; objects.register_all()
        from oslo_versionedobjects import base
        objects.register_all()
        from os_vif.objects import vif
        from os_vif.objects.base import register, VersionedObject
        @register
        class VIFOurOwnKind(vif.VIFBase): pass
        classes = base.VersionedObjectRegistry.obj_classes()
        assert "VIFOurOwnKind" not in classes and sum(map(len, classes.values())) == 31
        again = VersionedObject.obj_from_primitive(VIFOurOwnKind(id="5").obj_to_primitive())
        assert type(again) is VIFOurOwnKind
        """
    )


def test_another_project_may_use_a_name_of_ours() -> None:
    """Nova has objects of the same names; they are told apart by namespace, and neither hides the other."""
    python(
        """
        from oslo_versionedobjects import base, fields
        from os_vif import objects; objects.register_all()
        @base.VersionedObjectRegistry.register
        class Network(base.VersionedObject):
            OBJ_PROJECT_NAMESPACE = "nova"
            VERSION = "1.2"
            fields = {"label": fields.StringField()}
        ours = objects.network.Network(label="x")
        again = objects.base.VersionedObject.obj_from_primitive(ours.obj_to_primitive())
        assert type(again) is objects.network.Network
        theirs = Network.obj_from_primitive(Network(label="y").obj_to_primitive())
        assert type(theirs) is Network
        from os_vif import exception
        try:
            objects.base.VersionedObject.obj_from_primitive(Network(label="y").obj_to_primitive())
        except exception.UnknownObject as error:
            assert "Network" in str(error) and "nova" in str(error)
        else:
            raise AssertionError
        """
    )


def test_somebody_elses_newer_version_of_an_object_of_ours_is_read_as_that() -> None:
    """A class derived from one of ours, with its name and a newer version, is what that version is read as."""
    python(
        """
        from oslo_versionedobjects import base, fields
        from os_vif import objects; objects.register_all()
        ours = objects.vif.VIFBridge
        @base.VersionedObjectRegistry.register
        class VIFBridge(ours):
            VERSION = "1.1"
            fields = {"colour": fields.StringField()}
        read = objects.base.VersionedObject.obj_from_primitive
        assert read(VIFBridge(colour="red").obj_to_primitive()).colour == "red"
        assert type(read(ours(id="5").obj_to_primitive())) is ours
        """
    )


def test_looking_for_oslo_without_loading_it_does_no_harm() -> None:
    """Whoever only asks whether oslo.versionedobjects is there does not set anything off, or switch anything off."""
    python(
        """
        import importlib.util, sys
        from os_vif import objects; objects.register_all()
        assert importlib.util.find_spec("oslo_versionedobjects.base") is not None
        assert "oslo_versionedobjects.base" not in sys.modules
        import oslo_versionedobjects.base as base
        assert len(base.VersionedObjectRegistry.obj_classes()) == 31
        assert isinstance(objects.vif.VIFBridge(), base.VersionedObject)
        """
    )


def test_a_process_without_oslo_stays_without_it() -> None:
    """Making, writing, reading and comparing objects loads nothing of oslo's, nor eventlet."""
    python(
        """
        import sys
        from os_vif import objects; objects.register_all()
        from os_vif.objects import codec, validate
        from os_vif.objects.wire import fingerprint
        vif = objects.vif.VIFBridge(id="1", network=objects.network.Network(mtu=5))
        assert codec.loads(codec.dumps(vif)) == vif
        validate.problems(vif); fingerprint.fingerprints()
        loaded = [name for name in sys.modules if name.startswith(("oslo", "eventlet", "stevedore", "logging"))]
        assert loaded == [], loaded
        """
    )


@pytest.mark.parametrize("first", ["oslo", "ours", "late"])
def test_classes_derived_as_kuryr_does_live_as_they_do_with_upstream(first: str, oracle_python: Path) -> None:
    """Made, written, read, copied, compared, and refused: a whole program prints the same with ours and upstream's."""
    outcomes = [
        subprocess.run([interpreter, SCRIPT, first], capture_output=True, text=True, check=False)
        for interpreter in (sys.executable, oracle_python)
    ]
    ours, theirs = outcomes
    assert ours.returncode == 0, ours.stderr
    assert theirs.returncode == 0, theirs.stderr
    assert ours.stdout.splitlines() == theirs.stdout.splitlines()
    assert len(ours.stdout.splitlines()) > 40
