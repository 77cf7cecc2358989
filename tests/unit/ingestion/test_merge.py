"""Merging by stamps: any order, any repetition, the same outcome."""

from hypothesis import given
from hypothesis import strategies as st

from ingestion.merge import Part, from_json, merge_parts, to_json

parts = st.builds(
    Part,
    field=st.sampled_from(["input", "output"]),
    value=st.text(max_size=3),
    stamped_at=st.integers(0, 3),
    stamp_id=st.sampled_from("ab"),
)


def test_the_greatest_stamp_wins_per_field() -> None:
    state = merge_parts({}, [Part("input", "new", 2, "a"), Part("input", "old", 1, "z"), Part("output", "o", 1, "a")])
    assert {name: stamped.value for name, stamped in state.items()} == {"input": "new", "output": "o"}


def test_of_equal_times_the_greater_id_wins() -> None:
    assert merge_parts({}, [Part("input", "x", 1, "a"), Part("input", "y", 1, "b")])["input"].value == "y"


@given(st.lists(parts, max_size=8), st.randoms(), st.integers(0, 8))
def test_order_repetition_and_splits_do_not_matter(found: list[Part], random: object, split: int) -> None:
    shuffled = found + found[:split]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    in_two_steps = merge_parts(from_json(to_json(merge_parts({}, shuffled[:split]))), shuffled[split:])
    assert in_two_steps == merge_parts({}, found)


@given(st.lists(parts, max_size=8))
def test_a_state_survives_its_json(found: list[Part]) -> None:
    state = merge_parts({}, found)
    assert from_json(to_json(state)) == state


def test_nothing_is_the_empty_text() -> None:
    assert to_json({}) == ""
    assert from_json("") == {}
