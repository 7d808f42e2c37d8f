"""Identifiers that sort by time, so that the newest rows sit together in every index."""

import os
import time
import uuid


def time_ordered_id() -> uuid.UUID:
    """A UUID of version 7 (RFC 9562 section 5.7): 48 bits of milliseconds, then 74 random bits."""
    return uuid.UUID(time_ordered_key())


def time_ordered_key(milliseconds: int | None = None) -> str:
    """The same as 32 hexadecimal digits, for where thousands are made: a UUID takes longer to make than to use.

    `milliseconds`: since 1970, where it is not made for now.
    """
    noise = os.urandom(10).hex()
    if milliseconds is None:
        milliseconds = time.time_ns() // 1_000_000
    return f"{milliseconds & (2**48 - 1):012x}7{noise[:3]}{'89ab'[int(noise[3], 16) & 3]}{noise[4:19]}"
