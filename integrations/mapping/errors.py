"""What can go wrong in a mapping."""


class MappingError(Exception):
    """An expression that does not compile, does not end, or does not fit its input; `place` says where."""

    def __init__(self, text: str, *, place: str = "") -> None:
        """`text`: one sentence; `place`: mapping name and position, as far as known."""
        super().__init__(text)
        self.place = place


class PointerError(MappingError):
    """An extension's pointer leads nowhere in this target, or not to an object."""
