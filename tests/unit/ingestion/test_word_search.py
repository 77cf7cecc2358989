import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.word_search import WordSearch

WORDS = (b"//", b"ader")
PARTS = st.sampled_from([b"/", b"a", b"der", b"ader", b"//"])
PIECES = st.lists(st.binary(max_size=12) | st.lists(PARTS).map(b"".join))
EACH_WAY = pytest.mark.parametrize(
    "search", [WordSearch(*WORDS, few_bytes=0), WordSearch(*WORDS)], ids=["words at once", "one after another"]
)


def holds(data: bytes) -> bool:
    return any(word in data for word in WORDS)


@EACH_WAY
@given(data=st.binary(max_size=40) | PIECES.map(b"".join))
def test_a_word_is_found_wherever_it_is(search: WordSearch, data: bytes) -> None:
    assert search.is_in(data) == holds(data)


@EACH_WAY
@given(pieces=PIECES)
def test_no_piece_that_holds_one_is_missed(search: WordSearch, pieces: list[bytes]) -> None:
    found = search.which(pieces)
    assert found == sorted(set(found))
    assert {number for number, piece in enumerate(pieces) if holds(piece)} <= set(found) <= set(range(len(pieces)))


@EACH_WAY
def test_pieces_without_one_are_not_named(search: WordSearch) -> None:
    assert search.which([b"abc", b"", b"/a/", b"x"]) == []
