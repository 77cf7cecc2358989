"""A staff assistant that answers from a handbook: embedding, retrieval, reranking, a cited answer, a judge."""

from typing import Any, NamedTuple

from operations.demonstration.models import LOCAL, QUICK, READER, Model
from operations.demonstration.stage import Message, Stage, Visit

SYSTEM_PROMPT = "Answer from the passages only and cite them like [2]. Say so when they do not hold the answer."

PASSAGES = (
    (
        "leave/parental.md",
        "Parents may take up to 14 months of parental leave; tell your lead and HR eight weeks ahead.",
    ),
    (
        "leave/sick.md",
        "Report sick before 9:00 in the #absence channel. A doctor's note is needed from the fourth day.",
    ),
    ("travel/trains.md", "Trips under five hours go by train, second class. First class is fine when it costs less."),
    (
        "travel/expenses.md",
        "Enter expenses within 30 days, with a photo of the receipt. Meals abroad are paid per diem.",
    ),
    ("it/laptops.md", "Laptops are replaced after four years, or earlier when a repair would cost more than 400 EUR."),
    ("it/vpn.md", "The VPN certificate is valid for one year. Renew it on the self-service page, before it runs out."),
    (
        "shop/returns.md",
        "Worn gear is taken back when it has a fault. Write the fault on the return form, with a photo.",
    ),
    ("shop/discounts.md", "Staff get 35% off all stock, friends and family 15%, at most 1,500 EUR a year together."),
    ("safety/gas.md", "At most 30 gas canisters may stand on the shop floor. The rest stays in the ventilated cage."),
    ("safety/fire.md", "On a fire alarm leave by the nearest exit and meet at the car park. Do not use the lift."),
)


class Question(NamedTuple):
    """What is asked, what comes out, and how faithful to the passages a judge finds that."""

    text: str
    answer: str
    quality: float


QUESTIONS = (
    Question(
        "How far ahead do I have to announce parental leave?", "Eight weeks ahead, to your lead and to HR [1].", 0.96
    ),
    Question(
        "When do I need a doctor's note?",
        "From the fourth day of sickness [1]; report sick before 9:00 all the same.",
        0.93,
    ),
    Question("Am I allowed to book first class to Hamburg?", "Only when it costs less than second class [1].", 0.9),
    Question(
        "My laptop is three years old and the screen is broken. New one or repair?",
        "A repair, unless it would cost more than 400 EUR: then the laptop is replaced early [1].",
        0.88,
    ),
    Question(
        "How many gas canisters can we put next to the till?",
        "At most 30 on the whole shop floor [1]; all others belong into the ventilated cage [1].",
        0.94,
    ),
    Question(
        "What's the discount for my sister?",
        "15%, and together with your own purchases at most 1,500 EUR a year [2].",
        0.91,
    ),
    Question(
        "Does the company pay for a gym membership?", "The handbook does not say anything about gym memberships.", 0.42
    ),
    Question(
        "vpn says certificate expired, what now",
        "Renew the certificate on the self-service page [1], then reconnect.",
        0.87,
    ),
    Question(
        "Until when can I hand in receipts from my June trip?",
        "Within 30 days, with a photo of each receipt [1].",
        0.85,
    ),
)

REFUSALS = (
    "RateLimitError: 429 Resource has been exhausted (e.g. check quota)",
    "APITimeoutError: Request timed out after 20.0 s",
    "InternalServerError: 503 The model is overloaded. Please try again later",
)


def play(stage: Stage, visit: Visit) -> None:
    """Independent questions, a trace each."""
    for _ in range(visit.turns):
        _answer(stage, stage.chance.choice(QUESTIONS))
        stage.work(120)


def _answer(stage: Stage, question: Question) -> None:
    model = stage.chance.choices([READER, LOCAL], [3, 1])[0]
    metadata = {"index": "handbook-2026-10", "top_k": 6, "model": model.name}
    with stage.trace("handbook-question", question.text, tags=["rag", "staff"], metadata=metadata) as root:
        passages = _retrieve(stage, question.text)
        text = _complete(stage, model, question, passages=passages)
        if text is None:
            root.update(level="ERROR", status_message="No model answered")
        else:
            root.update(output=text)
    if text is not None:
        _judge(stage, root, question.quality)


def _retrieve(stage: Stage, question: str) -> list[dict[str, Any]]:
    with stage.observe("chain", "find-passages", input=question) as chain:
        stage.embed(question)
        found: list[dict[str, Any]] = [
            {"source": source, "text": text, "score": round(stage.chance.uniform(0.55, 0.92), 3)}
            for source, text in stage.chance.sample(PASSAGES, 6)
        ]
        stage.step("retriever", "vector-search", seconds=0.05, input={"query": question, "top_k": 6}, output=found)
        kept = sorted(found, key=lambda passage: -passage["score"])[:3]
        stage.step("span", "rerank", seconds=0.18, input=found, output=kept, metadata={"model": "rerank-v3.5"})
        chain.update(output=[passage["source"] for passage in kept])
    return kept


def _complete(stage: Stage, model: Model, question: Question, *, passages: list[dict[str, Any]]) -> str | None:
    numbered = "\n".join(f"[{number}] {passage['text']}" for number, passage in enumerate(passages, start=1))
    messages: list[Message] = [
        {"role": "system", "content": SYSTEM_PROMPT},
        {"role": "user", "content": f"{numbered}\n\nQuestion: {question.text}"},
    ]
    for attempt in range(3):
        if stage.chance.random() > 0.14:
            text: str = stage.generate(
                "answer", model if attempt < 2 else QUICK, messages, answer=question.answer, streamed=True
            )
            return text
        stage.refuse("answer", model, messages, reason=stage.chance.choice(REFUSALS), seconds=1.5)
        with stage.observe("span", "wait-before-retry", level="WARNING", metadata={"attempt": attempt + 1}):
            stage.work(2.0**attempt)
    return None


def _judge(stage: Stage, root: Any, quality: float) -> None:
    faithful = min(1.0, max(0.0, stage.chance.gauss(quality, 0.07)))
    reason = "Every sentence is backed by a passage." if faithful > 0.8 else "One sentence goes beyond the passages."
    stage.score("faithfulness", round(faithful, 3), about=root, data_type="NUMERIC", comment=reason)
    if stage.chance.random() < 0.6:
        relevance = round(min(1.0, stage.chance.betavariate(7, 2)), 3)
        stage.score("passage-relevance", relevance, about=root, data_type="NUMERIC")
