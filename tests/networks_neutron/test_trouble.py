# SPDX-License-Identifier: Apache-2.0
"""Neutrons that do not answer, do not let us in, or fail for a moment; and what comes of names that are taken."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import sys
import threading
import types

import pytest

from networks_neutron.conftest import new_driver, new_request
from os_vif import exception
from os_vif.networks.neutron import active_binding
from os_vif.networks.neutron.api import Neutron
from os_vif.networks.neutron.lookup import Looking
from os_vif.networks.neutron.request import Asked


@contextlib.contextmanager
def a_neutron(*answers):
    """The world's edge: gives these answers (status, body) to requests below /v2.0, one after the other."""
    waiting, asked = list(answers), []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            versions = {
                "versions": [{"id": "v2.0", "status": "CURRENT", "links": [{"rel": "self", "href": f"{url}/v2.0/"}]}]
            }
            status, body = (200, versions)
            if self.path.rstrip("/") not in ("", "/v2.0"):
                asked.append(self.path)
                status, body = waiting.pop(0) if len(waiting) > 1 else waiting[0]
                body = body(url) if callable(body) else body
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode() if isinstance(body, str) else json.dumps(body).encode())

        do_PUT = do_GET

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield url, asked
        server.shutdown()


NOT_FOUND = (404, {"NeutronError": {"type": "PortNotFound", "message": "Port one could not be found.", "detail": ""}})
LOCKED = (500, {"NeutronError": {"type": "HTTPInternalServerError", "message": "database is locked", "detail": ""}})


def test_a_server_that_fails_for_a_moment_is_asked_again():
    with a_neutron(LOCKED, (503, "busy"), (200, {"ports": []})) as (url, asked):
        assert new_driver(url).find("nobody's") is None
        assert len(asked) == 4


def test_a_server_that_goes_on_failing_is_told_of_in_its_own_words():
    with a_neutron(LOCKED) as (url, _), pytest.raises(exception.NetworkUnavailable) as caught:
        new_driver(url, timeout=0.5).find("nobody's")
    assert str(caught.value) == "neutron: Neutron answers 500: database is locked"


def test_a_server_that_never_answers_is_not_waited_for_for_ever():
    with socket.create_server(("127.0.0.1", 0)) as server:
        driver = new_driver(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=0.3)
        with pytest.raises(exception.NetworkUnavailable, match="unavailable"):
            driver.find("nobody's")


def test_no_server(driver):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(exception.NetworkUnavailable, match="unavailable") as caught:
        new_driver(f"http://127.0.0.1:{port}", timeout=0.3).lapsed(0)
    assert "OS_CLOUD" in caught.value.hint


def test_a_proxy_that_speaks_html():
    refused = pytest.raises(exception.NetworkUnavailable, match="403: <html>go away")
    with a_neutron((403, "<html>go away</html>")) as (url, _), refused:
        new_driver(url).find("nobody's")


def a_port(name, **more):
    """As Neutron shows one, as far as we look at it."""
    plain = {"id": name, "name": name, "network_id": "blue", "mac_address": "fa:16:3e:00:00:01", "device_id": ""}
    return {**plain, "device_owner": "", "fixed_ips": [], "binding:profile": {}, **more}


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_server_that_gives_long_lists_in_pages(elsewhere):
    """It is asked for the next one at its own address, wherever its answer leads: our token is for nobody else."""

    def first(url):
        where = "http://192.0.2.1:1/evil" if elsewhere else f"{url}/v2.0/ports"
        link = {"rel": "next", "href": f"{where}?marker=2"}
        return {"ports": [a_port("one"), a_port("two")], "ports_links": [link]}

    last = {"ports": [a_port("three")], "ports_links": [{"rel": "previous", "href": "somewhere"}]}
    with a_neutron((200, first), (200, last)) as (url, asked):
        assert new_driver(url).find("three") == "three"
    assert asked[-1] == "/v2.0/ports?marker=2"


NO_PORTS = {
    "no object": ([1], "an object is needed, not [1]"),
    "a number": ({"ports": 5}, "ports: a list is needed, not 5"),
    "one port": ({"port": a_port("one")}, "a list is needed, not {"),
    "numbers": ({"ports": [1]}, "ports[0]: an object is needed, not 1"),
    "no id": ({"ports": [{"id": None}]}, "ports[0].id: is missing"),
    "an id": ({"ports": [a_port("one"), a_port(2)]}, "ports[1].id: a string is needed, not 2"),
    "an owner": ({"ports": [a_port("one", device_owner=[])]}, "ports[0].device_owner: a string is needed, not []"),
    "addresses": ({"ports": [a_port("one", fixed_ips=[{}])]}, "ports[0].fixed_ips[0].subnet_id: is missing"),
    "a profile": ({"ports": [a_port("one", **{"binding:profile": "x"})]}, "ports[0].binding:profile: an object is"),
    "a revision": ({"ports": [a_port("one", revision_number=True)]}, "ports[0].revision_number: a number is needed"),
    "details": (
        {"ports": [a_port("one", **{"binding:vif_details": {"bridge_name": 7}})]},
        "ports[0].binding:vif_details.bridge_name: a string is needed, not 7",
    ),
    "twice": ('{"ports": [], "ports": []}', "'ports' is there twice in one object"),
    "deep": ("[" * 5000, "brackets are inside each other too deeply"),
}


@pytest.mark.parametrize(("body", "reason"), NO_PORTS.values(), ids=NO_PORTS)
def test_an_answer_of_another_shape(body, reason):
    """One error, with the place."""
    with a_neutron((200, body)) as (url, _), pytest.raises(exception.NetworkUnavailable) as caught:
        new_driver(url).find("nobody's")
    assert str(caught.value).startswith("neutron: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize("refusals", [5, {}, [1], [{}], [{"candidate": [], "code": 1, "more": 2}]])
def test_refusals_of_another_shape(refusals):
    """What can be read of them is told."""
    detail = json.dumps({"refusals": refusals})
    error = {"NeutronError": {"type": "PortBindingError", "message": "no", "detail": detail}}
    with a_neutron((500, error)) as (url, _), pytest.raises(exception.ExceptionBase):
        new_driver(url, timeout=0.1).find("nobody's")


def test_an_answer_that_is_none():
    with a_neutron((200, "<html>welcome</html>")) as (url, _), pytest.raises(exception.NetworkUnavailable):
        new_driver(url).find("nobody's")


def test_a_path_that_the_server_does_not_have_is_told_with_its_own_words():
    with a_neutron((404, "no such thing")) as (url, _), pytest.raises(exception.NetworkNotFound) as caught:
        new_driver(url).find("nobody's")
    assert str(caught.value) == "Neutron answers GET /ports with 404: no such thing"


def test_a_server_without_agents_has_none():
    with a_neutron((404, "no such thing")) as (url, _):
        assert Looking(Neutron("neutron", new_driver(url).config)).agents("ovs1") == []


def test_a_server_that_lists_a_port_and_knows_nothing_of_it_is_not_asked_for_ever():
    request = new_request("net0", "ovs1", "ovs", network="")
    port = {"id": "one", "name": request.key, "network_id": "blue", "device_id": "", "device_owner": ""}
    port |= {"mac_address": "fa:16:3e:00:00:01", "fixed_ips": [], "binding:host_id": "", "binding:profile": {}}
    network = {"id": "blue", "name": "blue"}
    answers = [(200, {"ports": [port]}), (200, {"network": network}), NOT_FOUND] * 20
    with a_neutron(*answers) as (url, _), pytest.raises(exception.NetworkUnavailable, match="contradict each other"):
        new_driver(url, timeout=0.3).bind(request)


def test_a_password_in_an_address_is_not_told():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(exception.NetworkUnavailable) as caught:
        new_driver(f"http://us:secret@127.0.0.1:{port}", timeout=0.3).lapsed(0)
    assert f"//127.0.0.1:{port}" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_without_the_client_of_openstack_it_is_told_how_to_install_it(monkeypatch):
    for module in ("openstack", "keystoneauth1", "keystoneauth1.exceptions"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(exception.NetworkUnavailable) as caught:
        Neutron("neutron", types.SimpleNamespace(endpoint="http://127.0.0.1:9", timeout=1)).get("/ports")
    assert caught.value.hint == "Install it: pip install openstacksdk"


@pytest.fixture
def clouds(monkeypatch, tmp_path, plain_server):
    """clouds.yaml, as users of OpenStack have it."""
    file = tmp_path / "clouds.yaml"
    cloud = {"auth_type": "none", "auth": {"endpoint": plain_server.url}}
    file.write_text(json.dumps({"clouds": {"blue": cloud}}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(file))
    return file


def test_who_may_not_bind_is_told_which_role_it_takes(client, ask, clouds):
    """Whoever is only an admin."""
    driver = new_driver(None, cloud="blue")
    with pytest.raises(exception.NetworkUnavailable, match="disallowed by policy") as caught:
        driver.bind(ask("net0", "ovs1", "ovs"))
    assert "role add --user USER --project PROJECT service" in caught.value.hint


def test_the_environment_says_which_cloud(monkeypatch, client, driver, ask, clouds):
    answer = driver.bind(ask("net0", "ovs1", "ovs"))
    monkeypatch.setenv("OS_CLOUD", "blue")
    assert new_driver(None).show(answer.vif.id) == driver.show(answer.vif.id)


def test_a_cloud_that_nobody_knows(clouds):
    with pytest.raises(exception.NetworkUnavailable, match="Cloud red was not found"):
        new_driver(None, cloud="red").lapsed(0)


# --- what is taken ------------------------------------------------------------------------------------------


def test_of_networks_with_one_name_the_id_is_wanted(client, driver, ask):
    ids = {client.create_network("198.51.100.0/24", name="twice") for _ in range(2)}
    with pytest.raises(exception.NetworkConflict, match="2 networks called twice") as caught:
        driver.bind(ask("net0", "ovs1", "ovs", network="twice"))
    assert all(one in caught.value.hint for one in ids)
    one = ids.pop()
    assert driver.bind(ask("net0", "ovs1", "ovs", network=one)).vif.network.id == one


def test_a_mac_address_that_somebody_has_is_not_insisted_on(client, driver, ask, blue):
    """It comes of the key, so that a key has one port; there are others."""
    request = ask("net0", "ovs1", "ovs")
    first, second, *_ = active_binding._addresses(Asked(request))
    client.create_port(blue, mac_address=first)
    assert driver.bind(request).vif.address == second


def test_a_subnet_without_addresses(client, driver, ask):
    network = client.create_network("198.51.100.8/30", name="small")
    driver.bind(ask("net0", "ovs1", "ovs", network=network))
    with pytest.raises(exception.NoAddressLeft, match=network):
        driver.bind(ask("net1", "ovs1", "ovs", network=network))
