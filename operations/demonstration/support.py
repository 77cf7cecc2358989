"""A shop's support agent: plans, looks things up with tools, answers; its conversations are sessions."""

from dataclasses import dataclass
from typing import Any

from operations.demonstration.models import CAREFUL, QUICK
from operations.demonstration.stage import Message, Stage, Visit

SYSTEM_PROMPT = (
    "You are the support agent of Lumen Outdoor, a shop for camping and hiking gear. Look an order up before "
    "you speak about it. Never promise a refund above 200 EUR: hand over to a person. Answer in at most four "
    "sentences, in the language of the customer, and name the next step."
)
CACHED_PROMPT_TOKENS = 1_152
PROMPT = {"name": "support-agent", "version": 7}

PRODUCTS = (
    ("Fjord 2 tent", 329.0),
    ("Ember gas stove", 74.9),
    ("Drift 40 rucksack", 159.0),
    ("Polar down bag", 279.0),
    ("Trail poles, carbon", 99.0),
    ("Tarn water filter", 46.5),
    ("Skye rain jacket", 189.0),
)
CARRIERS = ("DHL", "PostNord", "UPS", "GLS")
TOOL_FAILURES = (
    "ConnectTimeout: orders.internal did not answer within 2.0 s",
    "HTTP 502 from warehouse.internal: upstream connect error",
    "HTTP 429 from carrier API: quota of 60 requests/min used up",
)


@dataclass(frozen=True)
class Topic:
    """What a customer wants, which tool answers it, and how the agent replies."""

    name: str
    question: str
    tool: str
    reply: str
    follow_ups: tuple[tuple[str, str], ...]


TOPICS = (
    Topic(
        "delivery",
        "Hi, my order {order} with the {product} should have come on Tuesday. Where is it?",
        "track_parcel",
        "Your {product} left our warehouse and is with {carrier}; the last scan was at the depot in {city} "
        "this morning. It should reach you tomorrow before 18:00. If it is not there by then, write to me "
        "again and I will open a trace.",
        (
            (
                "Can I still change the delivery to a pick-up point?",
                (
                    "Yes. I have sent you the link of {carrier} where you can choose a pick-up point near "
                    "{city} until midnight."
                ),
            ),
            ("Great, thanks!", "You're welcome. Enjoy the {product}!"),
        ),
    ),
    Topic(
        "return",
        "I'd like to send back the {product} from order {order}, the size is wrong. How does that work?",
        "create_return_label",
        "I have made a return label for the {product}; it is in your inbox. Drop the parcel at any {carrier} "
        "shop within 30 days. We refund {price} EUR to your card two days after it arrives.",
        (
            (
                "The box is damaged, is that a problem?",
                "Not at all: any sturdy box will do, as long as the label is on the outside.",
            ),
            (
                "And if I would rather swap it for one size up?",
                (
                    "Then tick 'exchange' on the return page. One size up is in stock, and I have reserved "
                    "it for seven days."
                ),
            ),
            ("Perfect.", "Glad to help. You will get a message when the parcel reaches us."),
        ),
    ),
    Topic(
        "defect",
        "The {product} I bought (order {order}) broke on its second trip. I am quite annoyed, we were in the "
        "middle of nowhere.",
        "check_warranty",
        "I am sorry that this happened on a trip. Your {product} is under warranty until 2028, so we repair "
        "or replace it at no cost. Please send me a photo of the broken part, and I will ship a replacement "
        "today.",
        (
            (
                "Here is the photo: https://img.example.com/u/8841.jpg",
                (
                    "Thank you, that is clearly a fault of the material. A new {product} leaves today with "
                    "{carrier}; keep the old one, there is no need to return it."
                ),
            ),
        ),
    ),
    Topic(
        "advice",
        "Which of your stoves works at -10 degrees? I already have the {product}.",
        "search_catalogue",
        "For -10 degrees take a stove that feeds liquid gas, such as the Ember with the winter canister: "
        "ordinary butane stops evaporating at about zero. It goes well with your {product}.",
        (
            (
                "How much gas for four days, two people?",
                "About 400 g if you melt snow, 230 g if you find running water.",
            ),
        ),
    ),
    Topic(
        "invoice",
        "Ich brauche für die Bestellung {order} eine Rechnung auf den Namen meiner Firma. Geht das noch?",
        "reissue_invoice",
        "Ja, das geht. Ich habe die Rechnung über {price} EUR neu ausgestellt und Ihnen per E-Mail "
        "geschickt. Die alte Rechnung ist damit ungültig.",
        (("Vielen Dank, ist angekommen.", "Sehr gern. Viel Freude mit dem {product}!"),),
    ),
)
CITIES = ("Aarhus", "Bremen", "Graz", "Leuven", "Malmö", "Porto", "Turku")


def play(stage: Stage, visit: Visit) -> None:
    """One conversation: a trace per turn, then a score of the whole session."""
    topic = stage.chance.choice(TOPICS)
    facts = _facts(stage)
    turns = ((topic.question, topic.reply), *topic.follow_ups)[: visit.turns]
    history: list[Message] = [{"role": "system", "content": SYSTEM_PROMPT}]
    for number, (question, reply) in enumerate(turns, start=1):
        history.append({"role": "user", "content": question.format(**facts)})
        _turn(stage, topic, history, facts={**facts, "turn": number, "reply": reply.format(**facts)})
        stage.work(55)
    if stage.chance.random() < 0.4:
        stage.score("conversation-resolved", stage.chance.random() < 0.8, about=None, data_type="BOOLEAN")


def _facts(stage: Stage) -> dict[str, Any]:
    product, price = stage.chance.choice(PRODUCTS)
    return {
        "order": f"LO-{stage.chance.randrange(48_000, 53_000)}",
        "product": product,
        "price": f"{price:.2f}",
        "carrier": stage.chance.choice(CARRIERS),
        "city": stage.chance.choice(CITIES),
    }


def _turn(stage: Stage, topic: Topic, history: list[Message], *, facts: dict[str, Any]) -> None:
    metadata = {
        "channel": stage.chance.choice(["web", "app", "e-mail"]),
        "turn": facts["turn"],
        "order": facts["order"],
    }
    question = history[-1]["content"]
    tags = ["support", topic.name]
    with stage.trace("support-agent", {"message": question}, tags=tags, metadata=metadata, prompt=PROMPT) as root:
        _guard(stage, question)
        if facts["turn"] == 1:
            _use_tools(stage, topic, history, facts=facts)
        answer = stage.generate(
            "write-answer",
            CAREFUL,
            list(history),
            answer=facts["reply"],
            cached=CACHED_PROMPT_TOKENS if facts["turn"] > 1 else 0,
            streamed=True,
        )
        history.append({"role": "assistant", "content": answer})
        root.update(output={"message": answer})
    _rate(stage, root)


def _guard(stage: Stage, question: str) -> None:
    with stage.observe("guardrail", "personal-data-check", input=question) as check:
        stage.work(0.04)
        check.update(output={"allowed": True, "masked": ["e-mail"] if "@" in question else []})


def _use_tools(stage: Stage, topic: Topic, history: list[Message], *, facts: dict[str, Any]) -> None:
    call = {"name": topic.tool, "arguments": {"order": facts["order"]}}
    plan = {"role": "assistant", "tool_calls": [call]}
    stage.generate("plan", QUICK, list(history), answer=plan, cached=CACHED_PROMPT_TOKENS)
    with stage.observe("span", "run-tools", metadata={"planned": 2}):
        stage.step("tool", "get_order", seconds=0.12, input={"order": facts["order"]}, output=_order(facts))
        while stage.chance.random() < 0.16:
            reason = stage.chance.choice(TOOL_FAILURES)
            stage.step("tool", topic.tool, seconds=2.0, input=call["arguments"], level="ERROR", status_message=reason)
            stage.work(0.5)
        result = {"ok": True, "carrier": facts["carrier"], "city": facts["city"]}
        stage.step("tool", topic.tool, seconds=0.3, input=call["arguments"], output=result)


def _order(facts: dict[str, Any]) -> dict[str, Any]:
    line = {"product": facts["product"], "quantity": 1, "price_eur": float(facts["price"])}
    return {"order": facts["order"], "status": "shipped", "lines": [line], "ship_to": facts["city"]}


def _rate(stage: Stage, root: Any) -> None:
    if stage.chance.random() < 0.35:
        liked = stage.chance.random() < 0.82
        comment = "" if liked else stage.chance.choice(["Too vague.", "I had to ask twice.", "Not my language."])
        stage.score("user-feedback", float(liked), about=root, data_type="BOOLEAN", comment=comment or None)
    if stage.chance.random() < 0.5:
        tone = stage.chance.choices(["friendly", "neutral", "curt"], [6, 3, 1])[0]
        stage.score("tone", tone, about=root, data_type="CATEGORICAL")
