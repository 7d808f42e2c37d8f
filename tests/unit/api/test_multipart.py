"""Multipart bodies, part by part, in any order and any chopping."""

import io
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.api.errors import BadMultipart
from integrations.api.multipart import LONGEST_HEADER, MOST_PARTS, Parts, boundary_of, safe_name

BOUNDARY = b"frontier"


class Dribble:
    """A stream that gives at most `step` bytes at a time, as sockets do."""

    def __init__(self, data, step):
        self._data, self._step = io.BytesIO(data), step

    def read(self, size=-1):
        return self._data.read(min(size, self._step))


def encode(*parts, boundary=BOUNDARY, end=b"--\r\n"):
    lines = [b"--" + boundary + b"\r\n" + head + b"\r\n\r\n" + content + b"\r\n" for head, content in parts]
    return b"".join(lines) + b"--" + boundary + end


def named(name, content, more=b""):
    return b'Content-Disposition: form-data; name="' + name + b'"' + more, content


def parse(body, step=65536, boundary=BOUNDARY):
    return [(part.name, read_all(part)) for part in Parts(Dribble(body, step), boundary)]


def read_all(part):
    return b"".join(iter(lambda: part.read(1000), b""))


def refusal(body, **how):
    with pytest.raises(BadMultipart) as caught:
        parse(body, **how)
    assert caught.value.status == 400
    return caught.value.text


def test_parts_come_in_the_order_they_were_sent():
    body = encode(named(b"file", b"12\r\n3"), named(b"request", b"{}"))
    assert parse(body) == [("file", b"12\r\n3"), ("request", b"{}")]


@settings(max_examples=120, deadline=None)
@given(
    contents=st.lists(
        st.binary(max_size=60) | st.sampled_from([b"\r\n--frontie", b"--frontier", b"\r\n--frontierx"]),
        max_size=4,
    ),
    step=st.integers(1, 70),
    preamble=st.sampled_from([b"", b"For old mail programs\r\n"]),
)
def test_any_content_comes_out_as_it_went_in_however_it_is_chopped(contents, step, preamble):
    body = preamble + encode(*[named(b"p", content) for content in contents]) + b"epilogue"
    assert parse(body, step) == [("p", content) for content in contents]


def test_a_part_that_is_not_read_is_passed_over():
    body = encode(named(b"other", b"x" * 200_000), named(b"request", b"{}"))
    names = [part.name for part in Parts(Dribble(body, 777), BOUNDARY)]
    assert names == ["other", "request"]


def _size(part):
    return sum(len(piece) for piece in iter(lambda: part.read(65536), b""))


def test_a_large_part_is_read_in_constant_memory():
    body = encode(named(b"file", b"x" * 20_000_000))
    stream = io.BytesIO(body)
    tracemalloc.start()
    sizes = [_size(part) for part in Parts(stream, BOUNDARY)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sizes == [20_000_000]
    assert peak < 2_000_000


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "ended before its closing boundary"),
        (encode(named(b"request", b"{}"))[:-8], "ended before its closing boundary"),
        (encode(named(b"request", b"{}"), boundary=b"other"), "ended before its closing boundary"),
        (b"--frontier\r\nContent-Disposition: form-data", "ended before its closing boundary"),
        (encode(named(b"a", b"", b"; filename*=nonsense''x")), "A header cannot be read"),
        (encode((b"X: " + b"y" * LONGEST_HEADER * 5, b"")), "headers are longer than"),
        (encode(*[named(b"p", b"")] * (MOST_PARTS + 1)), f"more than {MOST_PARTS} parts"),
        (
            encode((b"Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64", b"")),
            "base64",
        ),
    ],
)
def test_a_broken_body_is_refused_saying_how(body, said):
    assert said in refusal(body)


def test_a_part_without_headers_has_no_name():
    assert parse(b"--frontier\r\n\r\nabc\r\n--frontier--") == [("", b"abc")]


def test_an_empty_multipart_has_no_parts():
    assert parse(b"--frontier--\r\n") == []


def test_file_names_are_read_in_both_their_forms():
    plain = named(b"file", b"", b'; filename="C1-DCTEX_1.csv"')
    coded = named(b"file", b"", b"; filename*=UTF-8''%e2%82%ac.csv")
    names = [part.file_name for part in Parts(io.BytesIO(encode(plain, coded)), BOUNDARY)]
    assert names == ["C1-DCTEX_1.csv", "\u20ac.csv"]


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\x.csv", "x.csv"),
        ("a\r\nb\x1b[31m\0.csv", "ab[31m.csv"),
        ("\u202egpj.csv", "gpj.csv"),
        ("..", ""),
        ("dir/", ""),
        ("x" * 300, "x" * 255),
        (" spaced name.csv ", "spaced name.csv"),
    ],
)
def test_file_names_lose_what_could_lead_elsewhere(given_name, kept):
    assert safe_name(given_name) == kept


@pytest.mark.parametrize(
    "header",
    [
        "multipart/form-data",
        'multipart/form-data; boundary=""',
        "multipart/form-data; boundary=a\x00b",
        f"multipart/form-data; boundary={'x' * 71}",
    ],
)
def test_a_header_without_a_boundary_is_refused(header):
    with pytest.raises(BadMultipart, match="no valid boundary"):
        boundary_of(header)


def test_a_quoted_boundary_is_read():
    assert boundary_of('multipart/form-data; boundary="a=b c"') == b"a=b c"
