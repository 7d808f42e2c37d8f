"""An HTTP target that takes everything at once: `python -m bench.sink [DELAY_MS]` prints its address as JSON.

It keeps connections, reads bodies without keeping them, waits DELAY_MS where given, and answers 200 with a MsgAck; so
what is measured is who sends. GET /count tells how many requests and bytes came.
"""

import json
import socket
import sys
import threading
import time

ANSWER = b'{"ackType":"SUCCESS","responses":{"response":[]}}'
BLOCK = 1024 * 1024


class Sink:
    """Counts what comes, in a thread a connection."""

    def __init__(self, delay: float) -> None:
        """`delay`: seconds each answer takes."""
        self.delay, self.requests, self.bytes = delay, 0, 0
        self._lock = threading.Lock()

    def serve(self, connection: socket.socket) -> None:
        """Every request of one connection, until its caller has gone."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        block, held = bytearray(BLOCK), b""
        with connection:
            while True:
                while b"\r\n\r\n" not in held:
                    more = connection.recv(BLOCK)
                    if not more:
                        return
                    held += more
                head, _, held = held.partition(b"\r\n\r\n")
                size = _length(head)
                left = size - len(held)
                held = held[size:]
                while left > 0:
                    left -= connection.recv_into(block, min(left, BLOCK))
                self._answer(connection, head, size)

    def _answer(self, connection: socket.socket, head: bytes, size: int) -> None:
        if head.startswith(b"GET /count"):
            body = json.dumps({"requests": self.requests, "bytes": self.bytes}).encode()
        else:
            with self._lock:
                self.requests, self.bytes = self.requests + 1, self.bytes + size
            body = ANSWER
            if self.delay:
                time.sleep(self.delay)
        lines = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        connection.sendall(lines + body)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


def main() -> None:
    """Serve until standard input ends."""
    sink = Sink(float(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 0.0)
    server = socket.create_server(("127.0.0.1", 0), backlog=128)
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{server.getsockname()[1]}"}) + "\n")
    sys.stdout.flush()

    def accept() -> None:
        while True:
            connection, _ = server.accept()
            threading.Thread(target=sink.serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
