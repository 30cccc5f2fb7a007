"""A TCP relay on 127.0.0.1 that cuts the connection on which certain bytes pass: for what is not HTTP/1.

with CuttingRelay(server.port) as relay:
    relay.cut(b"projects/acme-prod", times=1)          # before the server hears of it
    relay.cut(b"projects/acme-prod", reply=40)         # after 40 bytes of what the server then says
"""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from typing import Self

_CHUNK = 65_536


class CuttingRelay:
    def __init__(self, port: int) -> None:
        self._to = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._needle: bytes | None = None
        self._times: int | None = None
        self._reply: int | None = None
        self.cuts = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            left = list(self._open)
        for each in left:
            self._close(each)

    def cut(self, needle: bytes, *, times: int | None = None, reply: int | None = None) -> None:
        """Cut where `needle` is sent, `times` at most; with `reply`, only after so many bytes came back."""
        with self._lock:
            self._needle, self._times, self._reply = needle, times, reply

    def _strikes(self, data: bytes) -> bool:
        with self._lock:
            if self._needle is None or self._needle not in data or self.cuts == self._times:
                return False
            self.cuts += 1
            return True

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._to)
            except OSError:
                return
            with self._lock:
                self._open |= {client, server}
            doom = _Doom()
            threading.Thread(target=self._upstream, args=(client, server, doom), daemon=True).start()
            threading.Thread(target=self._downstream, args=(client, server, doom), daemon=True).start()

    def _upstream(self, client: socket.socket, server: socket.socket, doom: _Doom) -> None:
        with suppress(OSError):
            while data := client.recv(_CHUNK):
                if self._strikes(data):
                    if self._reply is None:
                        break
                    doom.left = self._reply
                server.sendall(data)
        self._close(client)
        self._close(server)

    def _downstream(self, client: socket.socket, server: socket.socket, doom: _Doom) -> None:
        with suppress(OSError):
            while data := server.recv(_CHUNK):
                if doom.left is not None:
                    client.sendall(data[: doom.left])
                    doom.left -= len(data)
                    if doom.left <= 0:
                        break
                else:
                    client.sendall(data)
        self._close(client)
        self._close(server)

    def _close(self, connection: socket.socket) -> None:
        """Reset: the other side learns that something broke, not that all was said."""
        with self._lock:
            self._open.discard(connection)
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()


class _Doom:
    """How many more bytes may reach the client before its connection is cut."""

    left: int | None = None
