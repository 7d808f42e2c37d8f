"""Bodies are read within bounds, whatever their headers announce."""

import io

import pytest
from django.http.request import UnreadablePostError
from django.test import RequestFactory

from integrations.api.body import STRIDE, BodyStream, read_bounded
from integrations.api.errors import BodyCut, TooLarge


class Endless:
    """A sender that never stops; counts what was taken of it."""

    def __init__(self):
        self.given = 0

    def read(self, size=-1):
        self.given += size
        return b"x" * size


def request_with(body=b"", **meta):
    request = RequestFactory().post("/x", data=body, content_type="application/json")
    request.META.update(meta)
    return request


def test_a_body_of_the_limits_size_is_taken():
    assert read_bounded(io.BytesIO(b"x" * 100), 100) == b"x" * 100


def test_a_body_over_the_limit_is_refused_naming_the_limit():
    with pytest.raises(TooLarge, match="larger than 100 bytes") as caught:
        read_bounded(io.BytesIO(b"x" * 101), 100)
    assert caught.value.status == 413


def test_an_endless_body_is_read_no_further_than_the_limit():
    sender = Endless()
    with pytest.raises(TooLarge):
        read_bounded(sender, 1_000_000)
    assert sender.given <= 1_000_000 + STRIDE


def test_a_chunked_body_is_read_from_the_server_itself():
    request = request_with(
        **{"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": "", "wsgi.input": io.BytesIO(b'{"a":1}')}
    )
    assert read_bounded(BodyStream(request), 100) == b'{"a":1}'


def test_less_than_was_announced_is_a_cut_body():
    request = request_with(b"half", CONTENT_LENGTH="8")
    request._stream = io.BytesIO(b"half")
    with pytest.raises(BodyCut, match="after 4 bytes of the 8 announced"):
        read_bounded(BodyStream(request), 100)


def test_a_caller_that_went_away_is_a_cut_body(monkeypatch):
    request = request_with(b"abc")

    def gone(_size):
        raise UnreadablePostError("connection reset")

    monkeypatch.setattr(request, "read", gone)
    with pytest.raises(BodyCut, match="after 0 bytes"):
        BodyStream(request).read(10)


@pytest.mark.parametrize("announced", ["", "abc", "-1", "²"])
def test_an_announcement_that_is_no_number_is_not_believed(announced):
    assert BodyStream(request_with(b"", CONTENT_LENGTH=announced)).announced is None
