"""What can go wrong with stored payloads."""


class StorageError(Exception):
    """Anything the payload store could not do; a sentence, and a hint of what to do about it."""

    def __init__(self, text: str, *, hint: str = "") -> None:
        """`text`: one sentence that names the store or the payload."""
        super().__init__(text)
        self.hint = hint


class StoreUnavailable(StorageError):
    """The store cannot be used now: full, not permitted, unreachable, or its key is gone. Trying again may help."""


class PayloadMissing(StorageError):
    """The row is there, its bytes are not; the same content put again heals it."""


class PayloadDamaged(StorageError):
    """The bytes are not those that were stored: cut short, changed or put in another order."""
