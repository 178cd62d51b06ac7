# SPDX-License-Identifier: Apache-2.0
"""Cloud Hypervisor: its JSON, held against its published API, and what the driver asks of it."""

from __future__ import annotations

import json
import socket
import threading

import jsonschema
import pytest
from oslo_config import cfg

from os_vif import exception
from os_vif.hypervisors.driver import Guest
from os_vif.loading import drivers
from os_vif.objects.network import Network
from os_vif.objects.vif import VIFOpenVSwitch, VIFPortProfileOpenVSwitch, VIFVHostUser
from support import vifs
from support.parts import require_tun

ID = vifs.identity(1)
MAC = "52:54:00:00:00:01"
SEVERAL = VIFPortProfileOpenVSwitch(multiqueue=True)


@pytest.fixture
def driver():
    yield drivers.load(drivers.HYPERVISORS, "cloud_hypervisor")
    cfg.CONF.clear_override("hot_plug_timeout", group="os_vif_hypervisor_cloud_hypervisor")


def guest(**more):
    return Guest("guest", vifs.INSTANCE.uuid, **more)


def vhost_user(mode):
    return VIFVHostUser(id=ID, address=MAC, mode=mode, path="/run/vhu1")


@pytest.mark.parametrize(
    ("vif", "wanted", "expected"),
    [
        (vifs.generic(), {}, {"num_queues": 2, "tap": "tap1"}),
        (vifs.generic(network=Network(mtu=1450)), {}, {"num_queues": 2, "tap": "tap1", "mtu": 1450}),
        (vifs.generic(port_profile=SEVERAL), {"queues": 3, "vcpus": 4}, {"num_queues": 6, "tap": "tap1"}),
        (
            VIFOpenVSwitch(
                id=ID, address=MAC, vif_name="tap1", port_profile=VIFPortProfileOpenVSwitch(create_tap=True)
            ),
            {},
            {"num_queues": 2, "tap": "tap1"},
        ),
        (
            vhost_user("server"),
            {"shared_memory": True},
            {"num_queues": 2, "vhost_user": True, "vhost_socket": "/run/vhu1", "vhost_mode": "Server"},
        ),
        (
            vhost_user("client"),
            {},
            {"num_queues": 2, "vhost_user": True, "vhost_socket": "/run/vhu1", "vhost_mode": "Client"},
        ),
    ],
)
def test_the_json(driver, schema, vif, wanted, expected):
    """As the published schema has it."""
    rendering = driver.render(vif, guest(**wanted))
    assert rendering.media == "json"
    assert rendering.data == json.loads(rendering.text) == {"id": f"net-{ID}", "mac": MAC, **expected}
    jsonschema.validate(rendering.data, schema)


@pytest.mark.parametrize(
    ("vif", "wanted", "reason"),
    [
        (vifs.bridge("br0"), {}, "cloud_hypervisor knows no such interfaces."),
        (vifs.generic(), {"model": "e1000"}, "the guest is to see e1000, and Cloud Hypervisor has virtio only."),
        (
            vifs.generic(port_profile=SEVERAL),
            {"queues": 4, "vcpus": 2},
            "4 queues are wanted, and there is at most one for each of 2 vCPUs.",
        ),
        (
            vifs.generic(port_profile=SEVERAL),
            {},
            "one queue is wanted, and its tap has several (multiqueue of the port profile).",
        ),
        (
            vhost_user("client"),
            {"shared_memory": False},
            "the guest's memory is not shared with other processes, which vhost-user needs.",
        ),
    ],
)
def test_what_it_cannot_take_is_refused(driver, vif, wanted, reason):
    """By the name of what is wrong with it."""
    with pytest.raises(exception.CannotRender) as caught:
        driver.render(vif, guest(**wanted))
    name = type(vif).__name__
    assert str(caught.value) == f"cloud_hypervisor cannot be given VIF {ID} ({name}): {reason}"


def test_an_interface_comes_and_goes(driver, running):
    """Each is asked for once, however often the driver is."""
    for _ in range(2):
        driver.attach(vifs.generic(), guest(endpoint=running.path))
        assert list(running.interfaces) == [f"net-{ID}"]
    for _ in range(2):
        driver.detach(vifs.generic(), guest(endpoint=running.path))
        assert running.tree == {}
    assert running.changes == 2


def test_a_check_sees_what_somebody_took_from_the_guest(driver, running):
    """What does not run, or answers as nobody should, is not judged."""
    vif, known = vifs.generic(), guest(endpoint=running.path)
    driver.attach(vif, known)
    assert driver.check(vif, known) == ()
    running.interfaces.clear()
    (gone,) = driver.check(vif, known)
    assert (gone.code, gone.mendable) == ("guest-device-gone", True)
    assert gone.text == f"Cloud Hypervisor has no interface net-{ID}: it was taken from the guest there."
    running.interfaces["net"] = ["no interface"]
    assert driver.check(vif, known) is None
    assert driver.check(vif, guest()) is None
    assert driver.check(vif, guest(endpoint="/nowhere")) is None


def test_a_guest_that_does_not_let_go_is_told_of(driver, running):
    """The interface is configured no more; detaching again asks nothing twice, and goes on waiting."""
    cfg.CONF.set_override("hot_plug_timeout", 1, group="os_vif_hypervisor_cloud_hypervisor")
    running.lets_go = False
    driver.attach(vifs.generic(), guest(endpoint=running.path))
    for _ in range(2):
        with pytest.raises(exception.HotPlugFailed) as caught:
            driver.detach(vifs.generic(), guest(endpoint=running.path))
        assert str(caught.value) == (
            f"cloud_hypervisor did not detach interface {ID} of guest: Gave up after 1 seconds while waiting for the"
            f" guest to let go of net-{ID}."
        )
    assert running.changes == 2
    running.tree.clear()
    driver.detach(vifs.generic(), guest(endpoint=running.path))


def test_a_refusal_is_told_in_its_words(driver, running):
    """Here: an MTU below 0, which the schema does not take."""
    with pytest.raises(exception.HotPlugFailed) as caught:
        driver.attach(vifs.generic(network=Network(mtu=-1)), guest(endpoint=running.path))
    assert str(caught.value) == (
        f'cloud_hypervisor did not attach interface {ID} of guest: vm.add-net: "-1 is less than the minimum of 0".'
    )
    assert running.interfaces == {}


def test_somebody_elses_socket_is_told_of(driver, tmp_path):
    """It speaks HTTP, and not of machines."""
    path = tmp_path / "api"
    with socket.socket(socket.AF_UNIX) as theirs:
        theirs.bind(str(path))
        theirs.listen()
        threading.Thread(target=_welcome, args=(theirs,)).start()
        with pytest.raises(exception.HotPlugFailed, match=f"{path} does not answer as Cloud Hypervisor does"):
            driver.attach(vifs.generic(), guest(endpoint=str(path)))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[]", "an object is needed, not []"),
        (b"{}", "config: is missing"),
        (b'{"config": 1}', "config: an object is needed, not 1"),
        (b'{"config": {"net": {}}}', "config.net: a list is needed, not {}"),
        (b'{"config": {"net": [3]}}', "config.net[0]: an object is needed, not 3"),
        (b'{"config": {"net": [{"id": 4}]}}', "config.net[0].id: a string is needed, not 4"),
        (b'{"config": {}, "device_tree": 7}', "device_tree: an object is needed, not 7"),
    ],
)
def test_an_answer_of_another_shape(driver, tmp_path, body, reason):
    """Nothing is taken to be there or not there."""
    path = tmp_path / "api"
    with socket.socket(socket.AF_UNIX) as theirs:
        theirs.bind(str(path))
        theirs.listen()
        threading.Thread(target=_welcome, args=(theirs, body)).start()
        with pytest.raises(exception.HotPlugFailed) as caught:
            driver.detach(vifs.generic(), guest(endpoint=str(path)))
    told = f"{path}: vm.info{'.' if not reason.startswith('an object is needed, not []') else ': '}{reason}"
    assert str(caught.value) == (
        f"cloud_hypervisor did not detach interface {ID} of guest: {told}; that is not what Cloud Hypervisor answers."
    )


def _welcome(listening, body=b"<html>welcome</html>"):
    with listening.accept()[0] as client:
        client.recv(1 << 16)
        client.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + body)


def test_a_guest_that_is_not_there(driver):
    """It cannot be given anything, and has let go of everything."""
    with pytest.raises(exception.GuestNotFound) as caught:
        driver.attach(vifs.generic(), guest(endpoint="/nowhere/api"))
    assert str(caught.value) == (
        "cloud_hypervisor has no guest guest: its API does not answer at /nowhere/api: No such file or directory."
    )
    driver.detach(vifs.generic(), guest(endpoint="/nowhere/api"))


@pytest.mark.parametrize(("shared", "code"), [(True, "ovs-unreachable"), (False, "no-shared-memory")])
def test_a_running_guest_is_asked_for_its_memory(driver, running, options, shared, code):
    """With shared memory it is only Open vSwitch that is missing here."""
    require_tun()
    options("os_vif_ovs", ovsdb_connection="unix:/nowhere/db.sock")
    running.memory["shared"] = shared
    offer = driver.offer(guest(endpoint=running.path, vcpus=4), "host-1")
    assert {one.name: one.code for one in offer.withdrawn} == {"vhostuser": code, "ovs": "ovs-unreachable"}
    assert [(one.name, one.constraints.max_queues) for one in offer.candidates] == [("tap", 4)]
    assert offer.hypervisor == "cloud_hypervisor v48.0"
