"""A file in parts: how large they are, and several of them on their way at once in bounded memory."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from integrations.adapters.contract import CHUNK, Reader

PART = 8 * 1024 * 1024
MOST_PARTS = 9000  # object stores take 10,000
GROW_EVERY = 1000  # parts, where the size is not known: 8 GiB at the first size, 8 TiB in all
IN_FLIGHT = 4  # parts under way beside the one that is read
MOST_IN_FLIGHT = 64 * 1024 * 1024  # bytes; very large files have large parts, and fewer of them under way
Sent = TypeVar("Sent")


def part_size(number: int, size: int | None) -> int:
    """Bytes of the part with this number (from 1): equal parts where the size is known, else growing ones."""
    if size is not None:
        return max(PART, -(-size // MOST_PARTS))
    return PART << ((number - 1) // GROW_EVERY)


def parts_in_flight(number: int, size: int | None) -> int:
    """How many parts of the size that this one has are under way at once."""
    return max(1, min(IN_FLIGHT, MOST_IN_FLIGHT // part_size(number, size)))


def read_fully(source: Reader, size: int) -> bytes:
    """`size` bytes, fewer only at the end."""
    found = bytearray()
    while len(found) < size and (chunk := source.read(min(CHUNK, size - len(found)))):
        found += chunk
    return bytes(found)


def send_parts(
    first: bytes,
    source: Reader,
    size: int | None,
    *,
    count: Callable[[bytes], None],
    send: Callable[[int, bytes], Sent],
) -> list[Sent]:
    """`first` and all that `source` still has, in parts; what `send(number, part)` made of each, in their order.

    `send` runs in other threads while the next part is read, `count` here and in order. When one fails, no more is
    read, what is in flight finishes, and the failure is raised.
    """
    sent: list[Sent] = []
    window: deque[Future[Sent]] = deque()
    content, number = first, 0
    with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="parts") as pool:
        while content:
            number += 1
            count(content)
            window.append(pool.submit(send, number, content))
            _raise_failure(window)
            while window and (window[0].done() or len(window) >= parts_in_flight(number, size)):
                sent.append(window.popleft().result())
            del content  # not kept here while the next is read
            content = read_fully(source, part_size(number + 1, size))
        sent += [under_way.result() for under_way in window]
    return sent


def _raise_failure(window: deque[Future[Sent]]) -> None:
    for part in window:
        if part.done():
            part.result()
