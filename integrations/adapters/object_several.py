"""Several small objects at once, and which of them are there without a request for each."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from integrations.adapters.at_once import each_at_once
from integrations.adapters.contract import Written
from integrations.adapters.errors import AdapterError, AlreadyExists, NotFound, Unwhole
from integrations.adapters.names import name_trouble, usable_name
from integrations.adapters.object_errors import object_errors
from integrations.adapters.object_read import whole
from integrations.adapters.object_write import Bucket, head, is_md5, plain_etag, write_small
from integrations.adapters.several import Each, Parcel, Whole, not_started

FEWEST_LISTED = 4  # names; fewer are as quickly asked for one by one
MOST_LISTED = 1000
SPARE = 3  # times as many objects are listed as names looked for: others may lie between


@dataclass(frozen=True, slots=True)
class Seen:
    """What a listing or a HEAD shows of an object."""

    size: int
    etag: str


def read_several(bucket: Bucket, names: Sequence[str], at_once: int) -> Each[Whole]:
    """Each object whole."""
    return each_at_once(names, lambda name: whole(bucket, usable_name(name)), at_once)


def write_several(bucket: Bucket, files: Sequence[Parcel], free: set[str], at_once: int) -> Each[Written]:
    """Each object by one PUT; AlreadyExists in place of a name that is taken. `free`: names just seen not to be."""
    try:
        look = Look(bucket, [file.name for file in files if file.name not in free])
    except AdapterError as error:
        return _none_started(error, len(files))

    def write(file: Parcel) -> Written:
        if usable_name(file.name) not in free and look.at(file.name):
            raise AlreadyExists(f"{bucket.path(file.name)} is there already")
        return write_small(bucket, file.name, file.content, mark=file.mark, is_new=True)

    return each_at_once(files, write, at_once)


def rename_several(
    bucket: Bucket, names: Sequence[tuple[str, str]], alone: Callable[[str, str], None], at_once: int
) -> Each[None]:
    """Each (old, new) by a copy, compared, and a deletion; `alone` renames what needs a closer look.

    A crash, or a lost answer, before the copy leaves `old`; between copy and deletion both, with the same ETag, by
    which the next rename knows the copy and only deletes; after the deletion `new`. Nothing is deleted before the
    store has answered for its copy with the ETag that was seen.
    """
    try:
        olds, news = Look(bucket, [old for old, _ in names]), Look(bucket, [new for _, new in names])
    except AdapterError as error:
        return _none_started(error, len(names))

    def rename(pair: tuple[str, str]) -> None:
        old, new = usable_name(pair[0]), usable_name(pair[1])
        seen = olds.at(old)
        if seen is None:
            raise NotFound(f"There is no {bucket.path(old)} at {bucket.endpoint.name}")
        if old == new:
            return
        # The copy of what was uploaded in parts has another ETag, and needs to be told whose copy it is.
        if not is_md5(seen.etag) or news.at(new):
            alone(old, new)
            return
        _copy(bucket, old, new, seen)
        with bucket.errors(old):
            bucket.quick.delete_object(**bucket.place(old))

    return each_at_once(names, rename, at_once)


def _copy(bucket: Bucket, old: str, new: str, seen: Seen) -> None:
    """With its metadata; Unwhole where the copy is of something else than was listed."""
    with bucket.errors(old):
        answer = bucket.quick.copy_object(
            **bucket.place(new), CopySource=bucket.source(old), CopySourceIfMatch=f'"{seen.etag}"'
        )
    if plain_etag(answer["CopyObjectResult"].get("ETag", "")) == seen.etag:
        return
    found = head(bucket, new)  # encrypted with a key of its own, each copy has an ETag of its own
    if found is None or not found.encrypted or found.size != seen.size:
        raise Unwhole(
            f"The copy of {bucket.path(old)} as {new} at {bucket.endpoint.name} is not what was listed"
        )


def taken(bucket: Bucket, names: Sequence[str], at_once: int) -> set[str]:
    """Which of these names are there."""
    look = Look(bucket, names)
    found = each_at_once(names, lambda name: look.at(usable_name(name)), at_once)
    for error in found:
        if isinstance(error, AdapterError):
            raise error
    return {name for name, seen in zip(names, found, strict=True) if seen is not None}


class Look:
    """Which of some names are there: by one short listing, and a HEAD for each it did not come to.

    Names that are handled together mostly lie together: the listing begins right before the first of them. Of a store
    that always begins at the first name (rclone's server), all with the same beginning are listed, while they fit.
    """

    def __init__(self, bucket: Bucket, names: Iterable[str]) -> None:
        """List; an AdapterError where that fails."""
        self._bucket = bucket
        self._seen: dict[str, Seen] = {}
        self._begins = self._reached = ""  # what lies between is known
        wanted = sorted({name for name in names if not name_trouble(name)})
        if len(wanted) >= FEWEST_LISTED and bucket.habits.lists_near:
            self._list(wanted, marker=wanted[0][:-1], most=SPARE * len(wanted))
        if len(wanted) >= FEWEST_LISTED and not bucket.habits.lists_near and bucket.habits.lists_all:
            self._list(wanted, marker="", most=MOST_LISTED)

    def at(self, name: str) -> Seen | None:
        """The object's figures, or None where it is not there; any of the names, in any thread."""
        if self._begins <= name <= self._reached:
            return self._seen.get(name)
        found = head(self._bucket, name)
        return Seen(found.size, found.etag) if found else None

    def _list(self, names: list[str], *, marker: str, most: int) -> None:
        same = takewhile(lambda pair: pair[0] == pair[1], zip(names[0], names[-1], strict=False))
        asked = {"Prefix": "".join(letter for letter, _ in same), "Delimiter": "/", "MaxKeys": most}
        with object_errors(self._bucket.endpoint, self._bucket.name):
            page = self._bucket.quick.list_objects(Bucket=self._bucket.name, Marker=marker, **asked)
        self._seen = {item["Key"]: Seen(item["Size"], plain_etag(item["ETag"])) for item in page["Contents"]}
        self._begins = names[0]
        self._reached = max(self._seen, default="") if page["IsTruncated"] else names[-1]
        if marker:  # the closest that is surely before the first
            self._bucket.habits.lists_near = all(key > marker for key in self._seen)
        elif self._reached < names[-1]:
            self._bucket.habits.lists_all = False


def _none_started(error: AdapterError, count: int) -> Each[Any]:
    """What went wrong before the first, in its place."""
    return [error, *(not_started() for _ in range(count - 1))][:count]
