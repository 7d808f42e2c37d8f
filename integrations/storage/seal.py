"""Payloads encrypted at rest: AES-256-GCM in frames of a mebibyte, under a key of each object's own.

Layout: `BUSBAR1` and a newline; two bytes of length and the object's key as a Fernet token (HUB_FERNET_KEYS); the
frames, each with its 16 bytes of tag. A frame's nonce is whether it is the last one (1 byte) and its number (11
bytes), so that cutting, dropping, repeating or exchanging frames is detected at the first wrong one.
"""

import base64

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from integrations.crypto import SecretUnreadable, decrypt, encrypt, rotate
from integrations.storage.backend import Reader, Scratch
from integrations.storage.errors import PayloadDamaged, StoreUnavailable

FRAME = 1024 * 1024
_TAG = 16
_MAGIC = b"BUSBAR1\n"
_WRAPPED = 140  # bytes of a Fernet token around 44 characters


class Sealer:
    """Writes plain bytes into a file as an encrypted object."""

    def __init__(self, target: Scratch) -> None:
        """Makes the object's key and writes the header."""
        self._target, self._number, self._rest = target, 0, bytearray()
        key = AESGCM.generate_key(256)
        self._cipher = AESGCM(key)
        target.write(_header(encrypt(base64.b64encode(key).decode())))

    def write(self, data: bytes) -> None:
        """The next plain bytes."""
        self._rest += data
        while len(self._rest) > FRAME:  # a full last frame waits, for only `finish` knows that it is the last
            self._frame(bytes(self._rest[:FRAME]), last=False)
            del self._rest[:FRAME]

    def finish(self) -> None:
        """Write the last frame, which is empty only for an empty content."""
        self._frame(bytes(self._rest), last=True)

    def _frame(self, plain: bytes, *, last: bool) -> None:
        self._target.write(self._cipher.encrypt(_nonce(self._number, last=last), plain, _MAGIC))
        self._number += 1


class Unsealer:
    """Reads an encrypted object as plain bytes; PayloadDamaged at the first frame that is not as written."""

    def __init__(self, source: Reader, label: str) -> None:
        """Reads the header. `label`: the payload, for errors."""
        self._source, self._label, self._number = source, label, 0
        self._cipher = AESGCM(_open_key(_read_token(source, label), label))
        self._next = read_exactly(source, FRAME + _TAG)
        self._plain = b""
        self._done = False

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` plain bytes; b"" at the end."""
        if size < 0:
            return b"".join(iter(lambda: self.read(FRAME), b""))
        while not self._plain and not self._done:
            self._plain = self._frame()
        found, self._plain = self._plain[:size], self._plain[size:]
        return found

    def _frame(self) -> bytes:
        current, self._next = self._next, read_exactly(self._source, FRAME + _TAG)
        self._done = not self._next
        nonce = _nonce(self._number, last=self._done)
        try:
            plain = self._cipher.decrypt(nonce, current, _MAGIC)
        except (InvalidTag, ValueError):
            raise PayloadDamaged(
                f"{self._label} is not as it was stored: frame {self._number + 1} was changed, moved or cut"
            ) from None
        self._number += 1
        return plain


def sealed_size(plain: int) -> int:
    """How many bytes an encrypted object of so many plain bytes has."""
    frames = max(1, -(-plain // FRAME))
    return len(_MAGIC) + 2 + _WRAPPED + plain + frames * _TAG


def plain_size(sealed: int) -> int:
    """The reverse; negative where no whole object has that size."""
    body = sealed - len(_MAGIC) - 2 - _WRAPPED
    frames = max(1, -(-body // (FRAME + _TAG)))
    return body - frames * _TAG


def rewrap(source: Reader, target: Scratch, label: str) -> bool:
    """Copy an encrypted object with its key under the newest of HUB_FERNET_KEYS; the frames stay as they are."""
    target.write(_header(rotate(_read_token(source, label))))
    while chunk := source.read(FRAME):
        target.write(chunk)
    return True


def read_exactly(source: Reader, size: int) -> bytes:
    """`size` bytes, fewer only at the end."""
    found = bytearray()
    while len(found) < size and (piece := source.read(size - len(found))):
        found += piece
    return bytes(found)


def _header(token: str) -> bytes:
    wrapped = token.encode()
    return _MAGIC + len(wrapped).to_bytes(2, "big") + wrapped


def _read_token(source: Reader, label: str) -> str:
    start = read_exactly(source, len(_MAGIC) + 2)
    if start[: len(_MAGIC)] != _MAGIC:
        raise PayloadDamaged(f"{label} is not as it was stored: it does not begin as an encrypted payload")
    return read_exactly(source, int.from_bytes(start[len(_MAGIC) :], "big")).decode("ascii", "replace")


def _open_key(token: str, label: str) -> bytes:
    try:
        return base64.b64decode(decrypt(token))
    except SecretUnreadable:
        raise StoreUnavailable(
            f"{label} cannot be decrypted: its key is damaged, or its wrapping key is not in HUB_FERNET_KEYS",
            hint="Put the former key back behind the newest one.",
        ) from None


def _nonce(number: int, *, last: bool) -> bytes:
    return bytes([last]) + number.to_bytes(11, "big")
