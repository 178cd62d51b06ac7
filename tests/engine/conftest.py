# SPDX-License-Identifier: Apache-2.0
"""A place for each test of the engine: twice, on the fake host and on the kernel, unless it says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.kinds import KINDS, Kind
from engine.places import FakePlace, KernelPlace, Place


@pytest.fixture
def fake_place(tmp_path: Path) -> FakePlace:
    """A host in memory."""
    return FakePlace(tmp_path / "state")


@pytest.fixture
def kernel_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KernelPlace]:
    """The kernel; this thread is inside a throwaway namespace."""
    with request.getfixturevalue("netns").enter():
        yield KernelPlace(tmp_path / "state")


@pytest.fixture(params=["fake", "kernel"])
def place(request: pytest.FixtureRequest) -> Place:
    """Both, one after the other."""
    return request.getfixturevalue(f"{request.param}_place")


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    """Every type of resource, one after the other."""
    return KINDS[request.param]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What only the fake host has is not tried on the kernel."""
    items[:] = [item for item in items if not _beyond_the_kernel(item)]


def _beyond_the_kernel(item: pytest.Item) -> bool:
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    kind = KINDS.get(parameters.get("kind", ""))
    on_kernel = parameters.get("place") == "kernel" or "kernel_place" in getattr(item, "fixturenames", ())
    return kind is not None and kind.fake_only and on_kernel and parameters.get("place") != "fake"
