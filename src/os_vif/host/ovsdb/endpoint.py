# SPDX-License-Identifier: Apache-2.0
"""Where an OVSDB server is to be reached: the syntax of ovsdb(7), "Active" connection methods."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from os_vif import exception

_DEFAULT_PORT = 6640


class Unusable(OSError):
    """There is no connection, and there will be none until somebody changes something."""


@dataclass(frozen=True)
class Endpoint:
    """One remote. ``kind`` is unix, tcp or ssl; ``host`` is a path for unix."""

    kind: str
    host: str
    port: int = 0

    def __str__(self) -> str:
        if self.kind == "unix":
            return f"unix:{self.host}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind}:{host}:{self.port}"

    def open(self, seconds: float, credentials: Credentials) -> socket.socket:
        """A connected socket. Raises OSError; Unusable where it is no use to try again."""
        if self.kind == "unix":
            return _open_unix(self.host, seconds)
        context = credentials.context() if self.kind == "ssl" else None
        connection = socket.create_connection((self.host, self.port), timeout=seconds)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return connection if context is None else _in_tls(connection, context)


@dataclass(frozen=True)
class Credentials:
    """What TLS needs: our key and certificate, and the certificate authority that the server's must come from.

    ovsdb-server asks for a certificate of the client; server certificates are made without host names
    (ovs-pki(8)), so names are not compared, the authority is.
    """

    private_key: str = ""
    certificate: str = ""
    authority: str = ""

    def context(self) -> ssl.SSLContext:
        """What a TLS connection is made with. Raises Unusable, which names the file at fault."""
        for path in (self.private_key, self.certificate, self.authority):
            if not path:
                raise Unusable("TLS needs ssl_key_file, ssl_cert_file and ssl_ca_cert_file, and not all are set")
            _check_readable(path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        try:
            context.load_verify_locations(self.authority)
            context.load_cert_chain(self.certificate, self.private_key)
        except ssl.SSLError as error:
            files = f"{self.private_key}, {self.certificate}, {self.authority}"
            raise Unusable(f"key and certificates cannot be used ({files}): {error.reason or error}") from error
        return context


def _check_readable(path: str) -> None:
    try:
        Path(path).open("rb").close()
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror}") from error


def _in_tls(connection: socket.socket, context: ssl.SSLContext) -> socket.socket:
    try:
        return context.wrap_socket(connection)
    except ssl.SSLCertVerificationError as error:
        connection.close()
        raise Unusable(f"the server's certificate is not to be trusted: {error.verify_message}") from error
    except OSError:
        connection.close()
        raise


def parse(text: str) -> tuple[Endpoint, ...]:
    """The remotes in "unix:/run/openvswitch/db.sock,tcp:127.0.0.1:6640", in order. Raises InvalidRequest."""
    remotes = [part.strip() for part in text.split(",") if part.strip()]
    if not remotes:
        raise _invalid(text, "is empty")
    return tuple(_parse_one(remote) for remote in remotes)


def _parse_one(text: str) -> Endpoint:
    kind, _, rest = text.partition(":")
    if kind == "unix" and rest:
        return Endpoint("unix", rest)
    if kind not in ("tcp", "ssl") or not rest:
        raise _invalid(text, "is not one of unix:PATH, tcp:HOST:PORT and ssl:HOST:PORT")
    host, port = _host_and_port(rest)
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise _invalid(text, f"has no port between 1 and 65535: {port!r}")
    return Endpoint(kind, host, int(port))


def _host_and_port(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        return host, port.removeprefix(":") or str(_DEFAULT_PORT)
    host, _, port = text.partition(":")
    return host, port or str(_DEFAULT_PORT)


def _open_unix(path: str, seconds: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.connect(str(Path(path)))
    except OSError:
        connection.close()
        raise
    return connection


def _invalid(text: str, reason: str) -> exception.InvalidRequest:
    return exception.InvalidRequest(field="ovsdb_connection", reason=f"{text!r} {reason}.", value=text)
