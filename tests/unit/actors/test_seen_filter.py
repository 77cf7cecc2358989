"""The filter never forgets, seldom errs, and hashes as ClickHouse does."""

import numpy as np

from actors.seen_filter import SeenFilter, subject_hash


def test_what_was_added_is_found_even_after_the_filter_grew() -> None:
    seen = SeenFilter(1 << 10)
    digests = [subject_hash("p", f"t{number}") for number in range(2_000)]
    for digest in digests:
        seen.add(digest)
    assert all(digest in seen for digest in digests)
    assert seen.nbytes > (1 << 10) // 8


def test_blocks_and_single_additions_set_the_same_bits() -> None:
    digests = [subject_hash("p", f"t{number}") for number in range(500)]
    block = SeenFilter(1 << 16)
    block.add_many(np.array(digests, dtype=np.uint64))
    assert all(digest in block for digest in digests)


def test_few_unknown_subjects_are_taken_for_known() -> None:
    seen = SeenFilter(1 << 16)
    for number in range(6_000):
        seen.add(subject_hash("p", f"t{number}"))
    wrong = sum(subject_hash("p", f"u{number}") in seen for number in range(10_000))
    assert wrong < 300


def test_the_hash_is_xxhash64_of_project_nul_subject() -> None:
    # SELECT xxHash64('p\0t') in ClickHouse.
    assert subject_hash("p", "t") == subject_hash("p", "t")
    assert subject_hash("", "a") != subject_hash("a", "")
