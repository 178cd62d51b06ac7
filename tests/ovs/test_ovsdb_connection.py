# SPDX-License-Identifier: Apache-2.0
"""The connection to an OVSDB server by itself, with a server that the tests play."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from os_vif import exception
from os_vif.host.ovsdb.client import Client, Connection, ConnectionLost, ServerError
from os_vif.host.ovsdb.endpoint import Endpoint, parse
from os_vif.host.ovsdb.stream import Splitter
from os_vif.host.process.deadline import Deadline

ANSWER = {"id": 1, "error": None, "result": [{"rows": [{"name": "brücke-\u2603-\U0001f680", "note": 'a "}{" \\ b'}]}]}
BYTES = json.dumps(ANSWER, ensure_ascii=False).encode()


@pytest.fixture
def ends():
    """A connection, and the server's end of it."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(10)
    connection = Connection(ours)
    yield connection, theirs
    connection.close()
    theirs.close()


def serve(theirs, *pieces):
    """Answers the next request with these bytes, each sent by itself."""

    def body():
        theirs.recv(1 << 16)
        for piece in pieces:
            theirs.sendall(piece)

    thread = threading.Thread(target=body)
    thread.start()
    return thread


@pytest.mark.parametrize("data", [BYTES, json.dumps(ANSWER).encode(), json.dumps(ANSWER, indent=1).encode()])
def test_a_message_may_be_cut_anywhere(data):
    """At every byte, in the middle of UTF-8 characters and escapes too; and byte by byte."""
    for cut in range(len(data) + 1):
        splitter = Splitter()
        assert splitter.feed(data[:cut]) + splitter.feed(data[cut:]) == [ANSWER], cut
    splitter = Splitter()
    assert [message for byte in data for message in splitter.feed(bytes([byte]))] == [ANSWER]


def test_messages_may_come_in_one_piece():
    """With white space between them or none."""
    splitter = Splitter()
    assert splitter.feed(BYTES * 3 + b"\n  " + BYTES + BYTES[:10]) == [ANSWER] * 4
    assert splitter.feed(BYTES[10:] + b"\n") == [ANSWER]
    assert splitter.feed(b" \n ") == []


def test_a_long_message_is_put_together():
    """Some megabytes, as a large database gives."""
    message = {"id": 1, "result": [{"rows": [{"name": f"port-{number}" * 10} for number in range(40_000)]}]}
    data = json.dumps(message).encode()
    splitter = Splitter()
    found = []
    for start in range(0, len(data), 1 << 16):
        found += splitter.feed(data[start : start + (1 << 16)])
    assert found == [message]


@pytest.mark.parametrize("cut", [1, 60, 70, len(BYTES) - 1])
def test_an_answer_in_two_pieces(ends, cut):
    """Through a socket, with a pause between."""
    connection, theirs = ends
    thread = serve(theirs, BYTES[:cut], BYTES[cut:])
    assert connection.call("transact", [], Deadline(10)) == ANSWER["result"]
    thread.join()


def test_a_probe_is_answered(ends):
    """The server drops who does not answer its echo; an answer to somebody else's request may come between."""
    connection, theirs = ends
    echo = json.dumps({"method": "echo", "params": ["are you", 7], "id": "echo"}).encode()
    thread = serve(theirs, echo, BYTES)
    assert connection.call("get_schema", [], Deadline(10)) == ANSWER["result"]
    thread.join()
    assert json.loads(theirs.recv(1 << 16)) == {"id": "echo", "result": ["are you", 7], "error": None}


def test_notifications_are_passed_over(ends):
    """Whatever else a server may have to say."""
    connection, theirs = ends
    thread = serve(theirs, b'{"method": "update", "params": ["x", {}], "id": null}', BYTES)
    assert connection.call("transact", [], Deadline(10)) == ANSWER["result"]
    thread.join()


def test_an_answer_that_comes_too_late_is_passed_over(ends):
    """Who gave up is told so at once; the connection is good for the next request."""
    connection, theirs = ends
    with pytest.raises(exception.DeadlineExceeded) as caught:
        connection.call("transact", [], Deadline(0.05))
    assert str(caught.value) == "Gave up after 0.05 seconds while waiting for the answer to transact from OVSDB."
    theirs.recv(1 << 16)
    thread = serve(theirs, BYTES, BYTES.replace(b'"id": 1', b'"id": 2').replace(b"note", b"tone"))
    assert connection.call("transact", [], Deadline(10))[0]["rows"][0].keys() == {"name", "tone"}
    thread.join()


def test_answers_find_their_thread(ends):
    """Sixteen threads on one connection; the server answers in the reverse order."""
    connection, theirs = ends
    count, results = 16, {}

    def ask(number):
        results[number] = connection.call("transact", [number], Deadline(20))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    splitter, requests = Splitter(), []
    while len(requests) < count:
        requests += splitter.feed(theirs.recv(1 << 16))
    for request in reversed(requests):
        answer = {"id": request["id"], "result": request["params"], "error": None}
        theirs.sendall(json.dumps(answer).encode())
    for thread in threads:
        thread.join()
    assert results == {number: [number] for number in range(count)}


def test_all_who_wait_are_told_of_the_end(ends):
    """The server closes the connection: every thread's call ends, none waits for its deadline."""
    connection, theirs = ends
    told = []

    def ask():
        with pytest.raises(ConnectionLost, match=r"^the server closed the connection$"):
            connection.call("transact", [], Deadline(100))
        told.append(True)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    splitter, requests = Splitter(), []
    while len(requests) < 4:
        requests += splitter.feed(theirs.recv(1 << 16))
    theirs.close()
    for thread in threads:
        thread.join(20)
    assert told == [True] * 4
    with pytest.raises(ConnectionLost):
        connection.call("transact", [], Deadline(1))


def test_closing_wakes_who_waits(ends):
    """From another thread; the descriptor is not left open."""
    connection, theirs = ends
    before = len(list(Path("/proc/self/fd").iterdir()))
    thread = threading.Thread(target=lambda: (theirs.recv(100), connection.close()))
    thread.start()
    with pytest.raises(ConnectionLost, match=r"^it was closed$"):
        connection.call("transact", [], Deadline(100))
    thread.join()
    assert len(list(Path("/proc/self/fd").iterdir())) == before - 1


def test_a_server_that_takes_nothing_in(ends):
    """A request larger than the buffers of the socket: the deadline ends the sending."""
    connection, _ = ends
    with pytest.raises(ConnectionLost, match=r"^the server took nothing in for 0.1 seconds$"):
        connection.call("transact", ["x" * (8 << 20)], Deadline(0.1))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"error": "unknown database", "details": "no database named x"}, "unknown database: no database named x"),
        ({"error": "canceled"}, "canceled"),
        ("canceled", "canceled"),
        ({"error": "x", "details": None}, "x"),
    ],
)
def test_errors_of_the_server(ends, error, words):
    """Its own words, with details where there are any."""
    connection, theirs = ends
    thread = serve(theirs, json.dumps({"id": 1, "error": error, "result": None}).encode())
    with pytest.raises(ServerError) as caught:
        connection.call("transact", [], Deadline(10))
    assert str(caught.value) == words
    thread.join()


class Server:
    """Listens, and answers every request with the number of the connection that it came by."""

    def __init__(self, path):
        self.remote = Endpoint("unix", str(path))
        self.connections = 0
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        try:
            while True:
                stream = self._listener.accept()[0]
                self.connections += 1
                threading.Thread(target=self._answer, args=(stream, self.connections), daemon=True).start()
        except OSError:
            return

    def _answer(self, stream, number):
        splitter = Splitter()
        while data := stream.recv(1 << 16):
            for request in splitter.feed(data):
                stream.sendall(json.dumps({"id": request["id"], "result": number, "error": None}).encode())
        stream.close()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    made = Server("s")
    yield made
    made.close()


def ask(client):
    return client.connection(Deadline(10)).call("echo", [], Deadline(10))


def test_threads_share_a_connection(server):
    """Sixteen at once."""
    client, answers = Client([server.remote]), []
    threads = [threading.Thread(target=lambda: answers.append(ask(client))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (answers, server.connections) == ([1] * 16, 1)
    client.close()


def test_a_forked_child_makes_its_own_connection(server):
    """Even when another thread was just about to connect, and will never be done in the child."""
    client = Client([server.remote])
    assert ask(client) == 1
    with client._mutex:
        child = os.fork()
        if not child:
            os._exit(ask(client) + 40)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    assert ask(client) == 1
    client.close()


SERVICE = """
import os
from os_vif.host.process.deadline import Deadline
from os_vif.host.ovsdb.client import Client
from os_vif.host.ovsdb.endpoint import Endpoint

def ask():
    print(client.connection(Deadline(10)).call("echo", [], Deadline(10)), flush=True)

client = Client([Endpoint("unix", "s")])
ask()
child = os.fork()
if child:
    os.waitpid(child, 0)
else:
    ask()
"""


def test_a_process_ends_without_sockets_left_open(server):
    """Nobody tells the library that it is over: neither a service nor its forked child is told of a leak."""
    checking = [sys.executable, "-W", "error::ResourceWarning", "-c", SERVICE]
    ended = subprocess.run(checking, capture_output=True, text=True, check=False, timeout=120)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "1\n2\n", "")


def test_who_connects_is_not_waited_for_longer_than_one_wants(server):
    """Another thread is connecting to a server that does not answer: the deadline of this one holds."""
    client = Client([server.remote])
    with client._mutex, pytest.raises(exception.DeadlineExceeded) as caught:
        client.connection(Deadline(0.05))
    assert str(caught.value) == "Gave up after 0.05 seconds while waiting for a connection to unix:s."


def test_a_server_that_comes_up_late_is_waited_for(tmp_path, monkeypatch):
    """It is being restarted, say."""
    monkeypatch.chdir(tmp_path)
    client, servers = Client([Endpoint("unix", "late")]), []
    thread = threading.Thread(target=lambda: (time.sleep(0.1), servers.append(Server("late"))))
    thread.start()
    assert ask(client) == 1
    thread.join()
    client.close()
    servers[0].close()


@pytest.mark.parametrize(
    ("text", "remotes"),
    [
        ("unix:/run/db.sock", ["unix:/run/db.sock"]),
        ("tcp:127.0.0.1", ["tcp:127.0.0.1:6640"]),
        ("tcp:[::1]:1234, ssl:db.example:6641", ["tcp:[::1]:1234", "ssl:db.example:6641"]),
        ("ssl:[::1],", ["ssl:[::1]:6640"]),
    ],
)
def test_remotes(text, remotes):
    """One or several, with the port that OVSDB has by default."""
    assert [str(remote) for remote in parse(text)] == remotes
