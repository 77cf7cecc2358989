"""Shared n-grams against the plain way to count them."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from evals import gram_overlap

ORDERS = 4
TEXTS = st.lists(st.tuples(st.text("ab \ud800é", max_size=12), st.text("ab \ud800é", max_size=12)), max_size=9)


def counted(text: str, order: int) -> Counter[str]:
    return Counter(text[start : start + order] for start in range(len(text) - order + 1))


@given(TEXTS)
def test_every_order_is_counted_as_one_counts_by_hand(pairs: list[tuple[str, str]]) -> None:
    said, meant = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    by_characters = gram_overlap.overlaps(gram_overlap.characters(said + meant), ORDERS)
    by_words = gram_overlap.overlaps(gram_overlap.words([list(text) for text in said + meant]), ORDERS)
    for order, found in enumerate(by_characters, start=1):
        ours, theirs = ([counted(text, order) for text in texts] for texts in (said, meant))
        assert found.shared.tolist() == [(one & other).total() for one, other in zip(ours, theirs, strict=True)]
        assert found.said.tolist() == [grams.total() for grams in ours]
        assert found.meant.tolist() == [grams.total() for grams in theirs]
        assert by_words[order - 1].shared.tolist() == found.shared.tolist()


def test_texts_are_counted_in_slices_as_in_one_go() -> None:
    texts = gram_overlap.characters(["abcab", "", "b" * 50, "abab", "xyz", "b" * 40])
    whole = [found.shared.tolist() for found in gram_overlap.overlaps(texts, ORDERS)]
    assert [found.shared.tolist() for found in gram_overlap.overlaps(texts, ORDERS, units_at_once=10)] == whole
    assert whole[0] == [4, 0, 40]
