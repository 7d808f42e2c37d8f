"""What can go wrong with a lookup."""


class LookupFault(Exception):
    """A lookup, column, value or property that is not there or not of its kind; names all of them."""

    def __init__(
        self,
        text: str,
        *,
        lookup: str = "",
        column: str = "",
        value: str = "",
        target: str = "",
        hint: str = "",
    ) -> None:
        """`text`: one sentence; `column` is the property's name for property lists; `target`: the column that was
        asked for, where a value is not there that a row could bring."""
        super().__init__(text)
        self.lookup = lookup
        self.column = column
        self.value = value
        self.target = target
        self.hint = hint
