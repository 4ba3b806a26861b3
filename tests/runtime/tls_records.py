"""A service that writes its own TLS 1.3 records: session tickets too, at any moment."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

APPLICATION_DATA: Final = 23
HANDSHAKE: Final = 22
CIPHERS: Final = {"TLS_AES_256_GCM_SHA384": (32, hashlib.sha384), "TLS_AES_128_GCM_SHA256": (16, hashlib.sha256)}
"""For each cipher of TLS 1.3, the length of its key and its hash function."""
TICKET: Final = bytes.fromhex("04 000016  00001c20 00000000  01 00  0008") + b"a ticket" + bytes(2)
"""A NewSessionTicket message (RFC 8446, 4.6.1): two hours, no age, a nonce of one byte, the ticket, no extensions."""


class Recorder:
    """The service's end of a TLS 1.3 connection, whose records after the handshake OpenSSL does not write.

    OpenSSL sends tickets only at the end of a handshake. Only a record that is encrypted with its key can come later.
    """

    def __init__(self, service: socket.socket, context: ssl.SSLContext, log: Path) -> None:
        """Shake hands. The context logs its keys into a file, and must send no tickets of its own."""
        assert context.num_tickets == 0
        self._socket = service
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._do(self._tls.do_handshake)
        assert self._tls.version() == "TLSv1.3"
        cipher = self._tls.cipher()
        assert cipher is not None
        size, self._hash = CIPHERS[cipher[0]]
        lines = [line.split() for line in log.read_text().splitlines()]
        secret = next(bytes.fromhex(line[2]) for line in reversed(lines) if line[0] == "SERVER_TRAFFIC_SECRET_0")
        self._cipher = AESGCM(self._expand(secret, b"key", size))
        self._iv = int.from_bytes(self._expand(secret, b"iv", 12))
        self._count = 0

    def receive(self) -> bytes:
        """Return what the client has sent; no bytes at the end."""
        received = b""

        def read() -> None:
            nonlocal received
            received = self._tls.read(65_536)

        try:
            self._do(read)
        except (ssl.SSLEOFError, ConnectionResetError):
            return b""
        return received

    def send(self, *records: tuple[int, bytes]) -> None:
        """Send records of a type and content, in one piece."""
        self._socket.sendall(b"".join(self._seal(kind, content) for kind, content in records))

    def _do(self, step: Callable[[], object]) -> None:
        while True:
            try:
                step()
            except ssl.SSLWantReadError:
                self._socket.sendall(self._outgoing.read())
                if data := self._socket.recv(65_536):
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            else:
                self._socket.sendall(self._outgoing.read())
                return

    def _seal(self, kind: int, content: bytes) -> bytes:
        # RFC 8446, 5.2 and 5.3.
        inner = content + bytes([kind])
        head = b"\x17\x03\x03" + (len(inner) + 16).to_bytes(2)
        nonce = (self._iv ^ self._count).to_bytes(12)
        self._count += 1
        return head + self._cipher.encrypt(nonce, inner, head)

    def _expand(self, secret: bytes, label: bytes, size: int) -> bytes:
        # HKDF-Expand-Label, RFC 8446, 7.1; the sizes are below that of one hash.
        label = b"tls13 " + label
        info = size.to_bytes(2) + bytes([len(label)]) + label + b"\x00"
        return hmac.new(secret, info + b"\x01", self._hash).digest()[:size]
