"""Each project's rules as a replica knows them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from heliograph.domain.errors import InvalidRequest, Unavailable
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.masking import MaskedField, MaskingRule, RuleKind
from ingestion.masking.dry_run import check, dry_run
from ingestion.masking.presidio import PresidioFinder
from ingestion.masking.projects import ProjectMasking
from tests.unit.ingestion.masking_rules import detector, expression, masker
from tests.unit.ingestion.spans import CONTEXT, mapped, span

MINE, OTHERS = ProjectId("mine"), ProjectId("others")


@dataclass
class RulesInMemory:
    """Rules, and whether they can be read."""

    rules: list[MaskingRule] = field(default_factory=list)
    is_away: bool = False
    reads: int = 0

    async def version(self) -> str:
        if self.is_away:
            raise Unavailable("PostgreSQL", 5.0)
        return " ".join(rule.id for rule in self.rules)

    async def all(self) -> Sequence[MaskingRule]:
        self.reads += 1
        return self.rules


def of(project: ProjectId, rule: MaskingRule) -> MaskingRule:
    return replace(rule, project_id=project)


async def test_nothing_is_taken_before_the_rules_are_known() -> None:
    kept = RulesInMemory(is_away=True)
    masking = ProjectMasking(kept)
    await masking.look()
    with pytest.raises(Unavailable):
        masking.of(MINE)
    kept.is_away = False
    await masking.look()
    assert masking.of(MINE).masker.is_idle


async def test_known_rules_hold_while_the_store_is_away() -> None:
    kept = RulesInMemory([of(MINE, detector("email"))])
    masking = ProjectMasking(kept)
    await masking.look()
    kept.is_away = True
    await masking.look()
    assert masking.of(MINE).masker.text("a@b.example") == "[email]"
    assert masking.of(OTHERS).masker.text("a@b.example") == "a@b.example"


async def test_a_change_is_followed_and_nothing_is_read_twice() -> None:
    kept = RulesInMemory([of(MINE, detector("email"))])
    masking = ProjectMasking(kept)
    await masking.look()
    await masking.look()
    assert kept.reads == 1
    kept.rules = []
    await masking.look()
    assert masking.of(MINE).masker.is_idle


async def test_a_project_with_a_rule_that_cannot_be_applied_takes_nothing() -> None:
    kept = RulesInMemory([of(MINE, expression("(")), of(OTHERS, detector("email"))])
    masking = ProjectMasking(kept)
    await masking.look()
    with pytest.raises(Unavailable):
        masking.of(MINE)
    assert not masking.of(OTHERS).masker.is_idle


def test_presidio_that_is_not_installed_is_named() -> None:
    with pytest.raises(InvalidRequest, match="presidio-analyzer"):
        check(MaskingRule("1", RuleKind.PRESIDIO, "PERSON"))


def test_findings_of_presidio_that_overlap_are_one() -> None:
    @dataclass
    class Finding:
        start: int
        end: int

    class Analyzer:
        def analyze(self, text: str, language: str, entities: Sequence[str] | None = None) -> Sequence[Finding]:
            assert (text, language, entities) == ("0123456789", "en", ["PERSON", "PLACE"])
            return [Finding(4, 6), Finding(0, 3), Finding(1, 5)]

    assert list(PresidioFinder("PERSON, PLACE", Analyzer()).spans("0123456789")) == [(0, 3), (3, 5), (5, 6)]


def test_a_rule_looks_where_it_is_told_to() -> None:
    rules = [expression(name, MaskedField(name), f"[{name}]") for name in ("input", "output", "metadata")]
    everything = "input output metadata"
    sent = span(
        {
            "langfuse.observation.input": everything,
            "langfuse.observation.output": everything,
            "langfuse.observation.metadata.m": everything,
            "user.id": everything,
        },
        name=everything,
    )
    (row,) = mapped(sent, context=replace(CONTEXT, masker=masker(*rules))).batch.observations.to_pylist()
    assert row["input"] == "[input] output metadata"
    assert row["output"] == "input [output] metadata"
    assert dict(row["metadata"])["m"] == "input output [metadata]"
    assert (row["name"], row["user_id"]) == (everything, everything)


def test_a_dry_run_names_what_is_hidden_by_which_rule() -> None:
    shown = dry_run([detector("email"), expression(r"pin (\d+)")], {"a": ["me@x.example", "pin 1234"], "b": 5})
    assert shown.masked == {"a": ["[email]", "pin [hidden]"], "b": 5}
    assert [(one.rule.target, one.text) for one in shown.hidden] == [("email", "me@x.example"), (r"pin (\d+)", "1234")]


@pytest.mark.parametrize(
    "rule",
    [
        MaskingRule("", RuleKind.CALLBACK, "ftp://host/"),
        MaskingRule("", RuleKind.CALLBACK, "https://user:password@host/"),
        MaskingRule("", RuleKind.CALLBACK, "https:///path"),
        MaskingRule("", RuleKind.CALLBACK, "https://host:port/"),
        MaskingRule("", RuleKind.CALLBACK, "https://host/", MaskedField.INPUT),
        MaskingRule("", RuleKind.CALLBACK, "https://host/", headers=("authorization",)),
        MaskingRule("", RuleKind.CALLBACK, "https://host/", headers=("two words",)),
        MaskingRule("", RuleKind.DETECTOR, "email", is_fail_closed=True),
        MaskingRule("", RuleKind.EXPRESSION, "x", replacement="y" * 300),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: MaskingRule) -> None:
    with pytest.raises(InvalidRequest):
        check(rule)
