# SPDX-License-Identifier: Apache-2.0
"""The daemons of Open vSwitch fail, are restarted, are full, or are reached over the network."""

from __future__ import annotations

import concurrent.futures
import logging
import signal
import subprocess
from pathlib import Path

import pytest

from os_vif import exception
from os_vif.plugins import ovs
from support import ovs_vifs, require
from support.ovsdb_proxy import Fault, Proxy

TAP = {"create_port": True, "create_tap": True}
TAP_PORT = "add port tap6d3e0001-4c to Open vSwitch bridge br-int"
WHERE = "(device tap6d3e0001-4c, VIF 6d3e0001-4c2d-4b8e-9d5e-3c1f0a9b8c7d)"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_database_server_is_restarted_in_the_middle_of_a_plug(new_switch, host_on, how):
    """Just when it has the transaction: the plug goes through, once, with no error."""
    switch = new_switch()

    def restart():
        switch.stop("ovsdb-server", how)
        switch.start_server()

    proxy = Proxy(switch.remote.partition(":")[2], f"{switch.directory}/proxy.sock", [Fault(restart)])
    vif = ovs_vifs.native(**TAP)
    host = host_on(switch, ovsdb_connection=proxy.remote)
    host.plug(vif)
    assert set(switch.rows("Port")) == {"br-int", ovs_vifs.tap()}
    assert proxy.faults[0].times == 0
    restart()
    assert host.plan(vif) == []
    host.unplug(vif)
    assert set(switch.rows("Port")) == {"br-int"}
    proxy.close()


@pytest.mark.parametrize("make", [ovs_vifs.hybrid, lambda: ovs_vifs.native(**TAP)], ids=["hybrid", "tap"])
def test_the_switch_is_down(new_switch, host_on, make):
    """The error says so, and everything is undone. With the switch up again, the same plug works."""
    switch = new_switch()
    host = host_on(switch, ovs_vsctl_timeout=1)
    switch.stop("ovs-vswitchd")
    vif = make()
    before, seen = switch.look(), switch.ns.snapshot()
    with pytest.raises(exception.StepFailed) as caught:
        host.plug(vif)
    assert str(caught.value) == (
        "Could not create Open vSwitch bridge br-int on datapath netdev (device br-int, VIF"
        " 6d3e0001-4c2d-4b8e-9d5e-3c1f0a9b8c7d): Open vSwitch did not act on it within 1 seconds: is ovs-vswitchd"
        " running?"
    )
    assert (switch.look(), switch.ns.snapshot()) == (before, seen)
    switch.start_vswitchd()
    host.plug(vif)
    assert host.plan(vif) == []
    switch.stop("ovs-vswitchd")
    host.unplug(vif)
    assert set(switch.rows("Port")) == {"br-int"}


def test_the_kernels_module_is_missing(switch, host):
    """The switch has acted and opened nothing: told at once, not when the time is over, and everything is undone."""
    if Path("/sys/module/openvswitch").exists():
        pytest.skip("this kernel has the module")
    before, seen = switch.look(), switch.ns.link_names()
    with pytest.raises(exception.StepFailed) as caught:
        host.plug(ovs_vifs.native(**TAP, datapath="system"))
    assert str(caught.value) == (
        "Could not create Open vSwitch bridge br-int on datapath system (device br-int, VIF"
        " 6d3e0001-4c2d-4b8e-9d5e-3c1f0a9b8c7d): Open vSwitch has not opened it and does not say why; the log of"
        " ovs-vswitchd may. (Bridges on the datapath system need the kernel's module openvswitch.)"
    )
    assert (switch.look(), switch.ns.link_names()) == (before, seen)


@pytest.mark.parametrize(("mode", "kind"), [("server", "dpdkvhostuserclient"), ("client", "dpdkvhostuser")])
def test_the_switch_is_without_dpdk(switch, host, mode, kind):
    """Such ports are refused before anything is touched, and it is told what there is."""
    if "dpdk" in switch.vsctl("get", "Open_vSwitch", ".", "iface_types"):
        pytest.skip("this switch has DPDK")
    with pytest.raises(exception.InvalidRequest) as caught:
        host.plug(ovs_vifs.vhost_user(mode))
    assert str(caught.value).startswith(
        f"type: this Open vSwitch has no type {kind}, which port vhu6d3e0001-4c needs; it has "
    )
    with switch.watch() as watch:
        host.unplug(ovs_vifs.vhost_user(mode))
        assert watch.changes() == []
    assert switch.rows("Bridge") == {}


def test_a_database_that_was_never_initialized(new_switch, host_on):
    """Without its one row it holds no bridges: that is told, instead of doing nothing."""
    switch = new_switch()
    switch.stop("ovs-vswitchd")
    switch.transact({"op": "delete", "table": "Open_vSwitch", "where": []})
    with pytest.raises(exception.StepFailed, match=r"the database of Open vSwitch is empty: `ovs-vsctl init` has not"):
        host_on(switch).plug(ovs_vifs.native(**TAP))
    assert switch.rows("Bridge") == {}


def test_the_disk_is_full(new_switch, host_on, tmp_path, monkeypatch):
    """The server cannot write the transaction: its words, and the devices made before are gone again."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", disk], check=True)
    monkeypatch.setattr("tempfile.tempdir", str(disk))
    switch = new_switch()
    host = host_on(switch)
    host.plug(ovs_vifs.native(**TAP, number=2))
    before, seen = switch.look(), switch.ns.snapshot()
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    vifs = [ovs_vifs.native(**TAP, number=number) for number in range(3, 40)]
    with pytest.raises(exception.StepFailed, match=r"I/O error: .*conf.db: write failed$"):
        host.plug(*vifs)
    filler.unlink()
    assert (switch.look(), switch.ns.snapshot()) == (before, seen)


def test_over_tcp(new_switch, host_on):
    """As the option has it by default, at a port of the test's own."""
    switch = new_switch(listen=["ptcp:16640:127.0.0.1"])
    host = host_on(switch, ovsdb_connection="tcp:127.0.0.1:16640")
    vif = ovs_vifs.hybrid()
    host.plug(vif)
    assert host.plan(vif) == []
    host.unplug(vif)
    assert set(switch.rows("Port")) == {"br-int"}


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    """Keys and certificates of two authorities: pki / "ca.pem", "client.key", "client.pem", "server.key", ..."""
    require("openssl")
    directory = tmp_path_factory.mktemp("pki")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    for prefix in ("", "other-"):
        openssl(*new, "-subj", f"/CN={prefix}ca", "-keyout", f"{prefix}ca.key", "-out", f"{prefix}ca.pem")
        for name in ("client", "server"):
            files = ["-keyout", f"{prefix}{name}.key", "-out", f"{prefix}{name}.pem"]
            openssl(*new, "-CA", f"{prefix}ca.pem", "-CAkey", f"{prefix}ca.key", "-subj", f"/CN={name}", *files)
    return directory


@pytest.fixture
def tls_switch(new_switch, pki):
    """A switch whose database is reached by TLS at port 16641."""
    keys = [f"--private-key={pki}/server.key", f"--certificate={pki}/server.pem", f"--ca-cert={pki}/ca.pem"]
    return new_switch(listen=["pssl:16641:127.0.0.1"], server_arguments=keys)


def credentials(pki, prefix="", authority=""):
    return {
        "ovsdb_connection": "ssl:127.0.0.1:16641",
        "ssl_key_file": f"{pki}/{prefix}client.key",
        "ssl_cert_file": f"{pki}/{prefix}client.pem",
        "ssl_ca_cert_file": f"{pki}/{authority}ca.pem",
    }


def test_over_tls(tls_switch, host_on, pki):
    """With a certificate that the server trusts. The record knows the files: options without them can unplug."""
    host = host_on(tls_switch, **credentials(pki))
    vif = ovs_vifs.native(**TAP)
    host.plug(vif)
    assert set(tls_switch.rows("Port")) == {"br-int", ovs_vifs.tap()}
    assert host.plan(vif) == []
    host_on(tls_switch, ovsdb_connection="ssl:127.0.0.1:16641").unplug(vif)
    assert set(tls_switch.rows("Port")) == {"br-int"}


def test_threads_over_tls(tls_switch, host_on, pki):
    """One TLS connection for eight threads, which plug and unplug at the same time."""
    host = host_on(tls_switch, **credentials(pki))
    vifs = [ovs_vifs.native(create_port=True, number=number) for number in range(1, 17)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(host.plug, vifs))
        assert len(tls_switch.rows("Port")) == 17
        list(pool.map(host.unplug, vifs))
    assert set(tls_switch.rows("Port")) == {"br-int"}


def refused(host):
    with pytest.raises(exception.StepFailed) as caught:
        host.plug(ovs_vifs.native(**TAP))
    text = str(caught.value)
    start = "Could not read the database of Open vSwitch at ssl:127.0.0.1:16641"
    assert text.startswith(start), text
    return text.partition("): ")[2]


def test_wrong_credentials(tls_switch, host_on, pki):
    """Refused at once, with the reason; what is wrong now will be wrong in two minutes too."""
    base = credentials(pki)
    unreachable = "no OVSDB server could be reached (ssl:127.0.0.1:16641: {})"
    distrusted = unreachable.format("the server's certificate is not to be trusted: ")[:-1]
    assert refused(host_on(tls_switch, **credentials(pki, authority="other-"))).startswith(distrusted)
    assert refused(host_on(tls_switch, **base | {"ssl_key_file": ""})) == unreachable.format(
        "TLS needs ssl_key_file, ssl_cert_file and ssl_ca_cert_file, and not all are set"
    )
    assert refused(host_on(tls_switch, **base | {"ssl_cert_file": "/nosuch.pem"})) == unreachable.format(
        "/nosuch.pem cannot be read: No such file or directory"
    )
    swapped = f"{pki}/other-client.key"
    assert refused(host_on(tls_switch, **base | {"ssl_key_file": swapped})) == unreachable.format(
        f"key and certificates cannot be used ({swapped}, {pki}/client.pem, {pki}/ca.pem): KEY_VALUES_MISMATCH"
    )
    text = refused(host_on(tls_switch, **credentials(pki, prefix="other-")))
    assert text == (
        "the connection to ssl:127.0.0.1:16641 was lost: the server ended the TLS connection: TLSV1_ALERT_UNKNOWN_CA"
    )
    assert tls_switch.rows("Bridge") == {}


def test_a_plain_server_where_tls_is_expected(new_switch, host_on, pki):
    """And the other way round: an error, not a wait without end."""
    switch = new_switch(listen=["ptcp:16641:127.0.0.1"])
    host = host_on(switch, **credentials(pki), ovs_vsctl_timeout=1)
    assert "ssl:127.0.0.1:16641" in refused(host)


def test_vsctl_is_deprecated_and_works(switch, new_host, caplog):
    """Said once in the log, however many VIFs; the database is spoken to as ever."""
    ovs._warn_of_vsctl.cache_clear()
    host = new_host(ovsdb_interface="vsctl")
    with caplog.at_level(logging.WARNING, logger="os_vif"):
        host.plug(ovs_vifs.native(**TAP), ovs_vifs.native(**TAP, number=2))
        host.unplug(ovs_vifs.native(**TAP))
    assert [record.message for record in caplog.records if "ovsdb_interface" in record.message] == [
        (
            "[os_vif_ovs] ovsdb_interface = vsctl is deprecated and will be refused one day: ovs-vsctl is not used any"
            " more, os-vif talks to the database itself. Remove the option."
        )
    ]
    assert set(switch.rows("Port")) == {"br-int", ovs_vifs.tap(2)}


def test_native_says_nothing(new_host, caplog):
    """It is the default."""
    ovs._warn_of_vsctl.cache_clear()
    with caplog.at_level(logging.WARNING, logger="os_vif"):
        new_host().plug(ovs_vifs.native())
    assert caplog.records == []
