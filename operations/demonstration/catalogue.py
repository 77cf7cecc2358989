"""Two pipelines without a user in front: product texts written in nested steps, and incoming mail sorted."""

import json
from typing import Any, NamedTuple

from operations.demonstration.models import READER, SORTER, WRITER
from operations.demonstration.stage import Message, Stage, Visit

WRITING_PROMPT = "You write for people who sleep outside. Plain words, no superlatives, facts first, 60 to 90 words."


class Article(NamedTuple):
    """A product, its data sheet, and the text that comes out."""

    product: str
    facts: dict[str, Any]
    text: str


ARTICLES = (
    Article(
        "Fjord 2 tent",
        {"weight_g": 1890, "persons": 2, "hydrostatic_head_mm": 3000},
        (
            "The Fjord 2 stands in four minutes, also with cold fingers: the poles are fixed at one end. Two "
            "people sit upright in it, and two rucksacks fit under the porch. It weighs 1,890 g and keeps "
            "out rain up to a 3,000 mm head of water."
        ),
    ),
    Article(
        "Ember gas stove",
        {"weight_g": 265, "output_w": 3100, "boil_1l_s": 210},
        (
            "The Ember boils a litre in three and a half minutes. A preheat tube turns liquid gas into "
            "vapour, so it keeps its power well below freezing. The legs fold flat, and the whole stove fits "
            "inside a one-litre pot."
        ),
    ),
    Article(
        "Polar down bag",
        {"weight_g": 1120, "comfort_c": -9, "fill": "850 cuin goose down"},
        (
            "The Polar keeps you warm at nine degrees below zero. Its down comes from one farm that we visit "
            "every year. The zip runs without catching, thanks to a stiff band on both sides, and the hood "
            "closes with one hand."
        ),
    ),
    Article(
        "Drift 40 rucksack",
        {"weight_g": 1340, "volume_l": 40, "back_lengths": 3},
        (
            "Forty litres are enough for a week from hut to hut. The Drift carries them on the hips: choose "
            "one of three back lengths, then set the frame with two straps. The front pocket holds a wet "
            "jacket apart from the dry things."
        ),
    ),
)

LANGUAGES = (
    (
        "German",
        "Kurz gesagt: leicht, trocken, schnell aufgebaut. Der Text wurde fachlich geprüft und an den Stil angepasst.",
    ),
    ("Danish", "Kort sagt: let, tør og hurtig at stille op. Teksten er gennemlæst og tilpasset vores tone."),
    ("Portuguese", "Em resumo: leve, seco e rápido de montar. O texto foi revisto e adaptado ao nosso estilo."),
)


class Mail(NamedTuple):
    """A mail's subject, and where it is sorted to."""

    subject: str
    label: str
    team: str
    confidence: float


MAILS = (
    Mail("Delivery note 88123 attached, two cartons short", "supplier", "warehouse", 0.97),
    Mail("Re: Re: invoice 2026-1187 — second reminder", "invoice", "accounting", 0.99),
    Mail("Your pole snapped and my holiday is ruined!!!", "complaint", "support", 0.95),
    Mail("Interested in stocking your tents in our shops in Oslo", "wholesale", "sales", 0.91),
    Mail("Application: seasonal position at the Aarhus shop", "application", "people", 0.98),
    Mail("URGENT please confirm your bank details", "phishing", "security", 0.88),
    Mail("is the skye jacket vegan? thx", "product question", "support", 0.93),
)


def write_texts(stage: Stage, visit: Visit) -> None:
    """One article after the other: draft, critique, revision, translations; the deepest traces of the demo."""
    for _ in range(visit.turns):
        _write(stage, stage.chance.choice(ARTICLES))
        stage.work(30)


def _write(stage: Stage, article: Article) -> None:
    product, facts, _ = article
    metadata = {"product": product, "batch": "winter-catalogue"}
    with stage.trace(
        "product-text", {"product": product, "facts": facts}, tags=["catalogue"], metadata=metadata
    ) as root:
        with stage.observe("chain", "write", input=facts) as chain:
            draft = _draft(stage, article)
            final = _revise(stage, draft, article.text)
            chain.update(output=final)
        texts = {"English": final} | _translate(stage, final)
        root.update(output=texts)
    stage.score("style", stage.chance.choices([3.0, 4.0, 5.0], [1, 4, 3])[0], about=root, data_type="NUMERIC")
    verdict = stage.chance.choices(["publish", "edit", "reject"], [7, 2, 1])[0]
    stage.score("editor-verdict", verdict, about=root, data_type="CATEGORICAL", metadata={"editor": "mina"})


def _asked(task: str) -> list[Message]:
    return [{"role": "system", "content": WRITING_PROMPT}, {"role": "user", "content": task}]


def _draft(stage: Stage, article: Article) -> str:
    task = f"Write the catalogue text for: {article.product}\n{json.dumps(article.facts)}"
    text = f"Introducing the {article.product}! {article.text}"
    draft: str = stage.generate("draft", WRITER, _asked(task), answer=text, streamed=True)
    return draft


def _revise(stage: Stage, draft: str, text: str) -> str:
    with stage.observe("evaluator", "critique", input=draft) as critique:
        advice = {"score": 3, "advice": "Drop the fanfare at the start; the rest is good."}
        stage.generate("judge", READER, _asked(f"Judge this text:\n{draft}"), answer=advice)
        critique.update(output=advice)
    task = f"{draft}\n\nRevise: {advice['advice']}"
    final: str = stage.generate("revise", WRITER, _asked(task), answer=text, cached=2_048, streamed=True)
    return final


def _translate(stage: Stage, text: str) -> dict[str, str]:
    chosen = stage.chance.sample(LANGUAGES, 2)
    with stage.observe("span", "translate", metadata={"languages": [language for language, _ in chosen]}):
        return {
            language: stage.generate(
                f"translate-{language.lower()}", WRITER, _asked(f"To {language}:\n{text}"), answer=words
            )
            for language, words in chosen
        }


def sort_mail(stage: Stage, visit: Visit) -> None:
    """Short traces with a structured answer; now and then one that cannot be parsed, and is asked for again."""
    for _ in range(visit.turns):
        _sort(stage, stage.chance.choice(MAILS))
        stage.work(4)


def _sort(stage: Stage, mail: Mail) -> None:
    messages: list[Message] = [{"role": "user", "content": f"Sort this mail. Answer in JSON.\nSubject: {mail.subject}"}]
    answer = {"label": mail.label, "team": mail.team, "confidence": mail.confidence}
    with stage.trace("mail-sorting", {"subject": mail.subject}, tags=["mail"], metadata={"mailbox": "hello@"}) as root:
        if stage.chance.random() < 0.08:
            stage.generate("classify", SORTER, messages, answer=f"Sure! I'd say this is a {mail.label}.")
            stage.step(
                "span",
                "parse",
                seconds=0.002,
                level="WARNING",
                status_message="Expecting value: line 1 column 1 (char 0)",
            )
        stage.generate("classify", SORTER, messages, answer=json.dumps(answer), cached=640)
        root.update(output=answer)
    if stage.chance.random() < 0.3:
        stage.score("label-correct", stage.chance.random() < mail.confidence, about=root, data_type="BOOLEAN")
