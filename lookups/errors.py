"""What can go wrong with a lookup."""


class LookupFault(Exception):
    """A lookup, column, value or property that is not there or not of its kind; names all of them."""

    def __init__(
        self, text: str, *, lookup: str = "", column: str = "", value: str = "", hint: str = ""
    ) -> None:
        """`text`: one sentence; `column` is the property's name for property lists."""
        super().__init__(text)
        self.lookup = lookup
        self.column = column
        self.value = value
        self.hint = hint
