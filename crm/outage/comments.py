"""Comments grow: of tickets and of callbacks, each said after the one before."""

SEPARATOR = "\n"


def joined(before: str, more: str) -> str:
    """The comment with more appended."""
    return f"{before}{SEPARATOR}{more}" if before and more else before or more
