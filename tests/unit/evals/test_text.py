"""Heuristics on texts: each with what it must say of texts at its edges."""

import pytest

from evals import limits, privacy, text
from heliograph.domain.errors import InvalidRequest
from heliograph.evaluator import EvaluationSkipped, Evaluator

ANSWER = "Paris is the capital of France."


@pytest.mark.parametrize(
    ("evaluator", "inputs", "value"),
    [
        (text.exact_match(), {"output": "Paris", "expected": "paris"}, False),
        (text.exact_match(normalise=True), {"output": " Paris\n is", "expected": "paris is"}, True),
        (text.contains("capital"), {"output": ANSWER}, True),
        (text.contains("CAPITAL"), {"output": ANSWER}, False),
        (text.contains("CAPITAL", ignore_case=True), {"output": ANSWER}, True),
        (text.contains("a.c"), {"output": "abc"}, False),
        (text.contains_expected(), {"output": ANSWER, "expected": "the  Capital"}, True),
        (text.contains_expected(normalise=False), {"output": ANSWER, "expected": "Capital"}, False),
        (text.starts_with("Paris"), {"output": "\n Paris"}, True),
        (text.ends_with("France."), {"output": ANSWER + "\n"}, True),
        (text.matches_regex(r"\b[A-Z]\w+ is"), {"output": ANSWER}, True),
        (text.matches_regex(r"^\d+$"), {"output": ANSWER}, False),
        (text.keyword_coverage(["PARIS", "france", "Lyon", "river"]), {"output": ANSWER}, 0.5),
        (text.lacks_all(["capit", "rance"]), {"output": ANSWER}, True),
        (text.lacks_all(["Capital"]), {"output": ANSWER}, False),
        (text.length_between(3, 4), {"output": "née"}, True),
        (text.length_between(3, 4), {"output": "longer"}, False),
        (text.words_between(6, 6), {"output": "It's a well-known fact, is it"}, True),
        (text.length_ratio(), {"output": "ab", "expected": "abcd"}, 0.5),
        (text.is_ascii(), {"output": "café"}, False),
        (text.script_share("Cyrillic"), {"output": "да no"}, 0.5),
        (text.repetition(size=1), {"output": "no no no no"}, 0.75),
        (text.repetition(), {"output": "short"}, 0.0),
        (text.token_f1(), {"output": "the cat sat", "expected": "The cat, sat down!"}, pytest.approx(6 / 7)),
        (text.token_f1(), {"output": "dog", "expected": "cat"}, 0.0),
        (limits.latency_within(2), {"latency_seconds": 2.0}, True),
        (limits.cost_within(0.01), {"cost_usd": 0.02}, False),
        (limits.tokens_within(10), {"total_tokens": 11}, False),
        (limits.output_tokens_between(1, 5), {"output_tokens": 5}, True),
    ],
    ids=lambda given: given.name if isinstance(given, Evaluator) else None,
)
def test_a_text_has_its_value(evaluator: Evaluator, inputs: dict[str, object], value: object) -> None:
    assert evaluator(**inputs).value == value


@pytest.mark.parametrize(
    ("output", "is_refusal"),
    [
        ("I'm sorry, but I can't help with that.", True),
        ("I\N{RIGHT SINGLE QUOTATION MARK}m unable to open links.", True),
        ("Unfortunately I cannot share this.", True),
        ("As an AI language model, I have no feelings.", True),
        ("You can't divide by zero.", False),
        ("The museum is sorry to announce its closing.", False),
    ],
)
def test_refusals_are_told_by_their_words(output: str, *, is_refusal: bool) -> None:
    assert text.is_refusal()(output).value is is_refusal


def test_reading_ease_is_the_formula() -> None:
    # Six words, one sentence, six syllables.
    assert text.readability()("The cat sat on the mat.").value == pytest.approx(206.835 - 1.015 * 6 - 84.6)
    hard = text.readability()("Organizational considerations necessitate interdepartmental communication.").value
    assert hard < 0


def test_texts_without_words_have_no_reading_ease_and_no_script() -> None:
    for evaluator in (text.readability(), text.script_share()):
        with pytest.raises(EvaluationSkipped):
            evaluator("123 !?" if evaluator.name == "script_share" else "...")


@pytest.mark.parametrize("make", [lambda: text.matches_regex("("), lambda: text.script_share("Klingon")])
def test_patterns_that_are_none_are_refused(make: object) -> None:
    with pytest.raises(InvalidRequest):
        make()  # type: ignore[operator]


def test_lists_of_words_must_have_one() -> None:
    for factory in (text.keyword_coverage, text.lacks_all):
        with pytest.raises(InvalidRequest):
            factory([])


@pytest.mark.parametrize(
    ("output", "is_found"),
    [
        ("write to ann.lee@example.org", True),
        ("call +49 170 1234567", True),
        ("my card 4111-1111-1111-1111", True),
        ("order 4111-1111-1111-1112", False),
        ("DE89 3704 0044 0532 0130 00", True),
        ("number 078-05-1120", True),
        ("in 2024 we sold 1234567 units", False),
    ],
)
def test_personal_data_is_found_by_its_form(output: str, *, is_found: bool) -> None:
    assert privacy.has_personal_data()(output).value is is_found


def test_secrets_are_found_by_their_form() -> None:
    assert privacy.has_secret()("key AKIA" + "ABCDEFGHIJKLMNOP").value is True
    assert privacy.has_secret()("-----BEGIN RSA PRIVATE" + " KEY-----").value is True
    assert privacy.has_secret()("sk-short").value is False
