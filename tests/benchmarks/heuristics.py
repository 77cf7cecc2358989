"""How many targets a second the heuristics judge on one core, beside Arrow's own pass over the same texts.

`python -m tests.benchmarks.heuristics` prints for each evaluator its evaluations a second and the share of
the ideal, which is one count of a character's occurrences in every output by Arrow.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from evals import limits, privacy, similarity, structured, text
from heliograph.evaluator import Evaluator

WORDS = (
    "parcel",
    "order",
    "customer",
    "where",
    "answer",
    "tomorrow",
    "delivery",
    "please",
    "street",
    "window",
    "is",
    "a",
)
# What the issue asks of the heuristics together, and of the slowest kind that loops in Python.
TARGET = 100_000

EVALUATORS: tuple[Evaluator, ...] = (
    text.exact_match(normalise=True), text.contains("parcel"), text.matches_regex(r"order-\d+"),
    text.keyword_coverage(["parcel", "order", "street"]), text.length_between(), text.words_between(),
    text.is_refusal(), text.readability(), text.script_share(), text.repetition(), text.token_f1(),
    limits.latency_within(), privacy.has_personal_data(), privacy.has_secret(), structured.json_valid(),
    structured.number_close(), structured.urls_valid(), similarity.levenshtein_similarity(), similarity.bleu(),
    similarity.rouge_l(), similarity.meteor(), similarity.chrf(),
)  # fmt: skip


def targets(rows: int, *, words: int, seed: int = 0) -> pa.Table:
    """Answers of about so many words beside expected ones that share most of them."""
    draw = random.Random(seed)

    def sentence() -> str:
        return " ".join(draw.choices(WORDS, k=words)) + f" order-{draw.randrange(10**6)}."

    expected = [sentence() for _ in range(rows)]
    outputs = [one if draw.random() < 0.2 else sentence() for one in expected]
    latencies = [draw.random() * 10 for _ in range(rows)]
    return pa.table({"output": outputs, "expected_output": expected, "latency_seconds": latencies})


def seconds(run: Callable[[], object], times: int) -> float:
    """The fastest of some runs, in processor time: other work on the machine does not count."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return min(taken)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--words", type=int, default=20)
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    pa.set_cpu_count(1)
    table = targets(given.rows, words=given.words)
    size = table.column("output").nbytes / given.rows
    ideal = given.rows / seconds(lambda: pc.count_substring(table.column("output"), "q"), 5 * given.times)
    print(f"{given.rows} outputs of {size:.0f} bytes; ideal, one pass of Arrow: {ideal:,.0f} a second")
    total = 0.0
    rates = []
    for evaluator in EVALUATORS:
        taken = seconds(lambda evaluator=evaluator: evaluator.evaluate_batch(table), given.times)  # type: ignore[misc]
        total += taken
        rates.append(given.rows / taken)
        print(f"{evaluator.name:28} {rates[-1]:12,.0f}/s  {rates[-1] / ideal:7.1%} of the ideal")
    together = given.rows * len(EVALUATORS) / total
    print(f"{'all together':28} {together:12,.0f}/s  aim {TARGET:,}; median {statistics.median(rates):,.0f}/s")


if __name__ == "__main__":
    main()
