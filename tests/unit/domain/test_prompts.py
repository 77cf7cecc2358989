"""What a prompt may be called, contain and include."""

import pytest

from heliograph.domain import prompts
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.prompts import Choice, NewPrompt, PromptType, Reference


def text(body: str, name: str = "greeting", labels: tuple[str, ...] = ()) -> NewPrompt:
    return NewPrompt(name=name, type=PromptType.TEXT, body=body, labels=labels)


@pytest.mark.parametrize("name", ["a", "folder/a", "Grüße an alle", "a.b-c_d", "x" * 255])
def test_names_may_have_folders_and_any_script(name: str) -> None:
    prompts.check(text("hello", name=name))


@pytest.mark.parametrize("name", ["", " ", "a|b", "/a", "a/", "a//b", "new", "metrics", "<b>a</b>", "x" * 256])
def test_names_that_would_break_addresses_or_tags_are_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="name"):
        prompts.check(text("hello", name=name))


@pytest.mark.parametrize("label", ["Production", "a b", "", "x" * 37, "ä"])
def test_labels_are_short_and_plain(label: str) -> None:
    with pytest.raises(InvalidRequest, match="labels"):
        prompts.check(text("hello", labels=(label,)))


def test_a_variable_and_a_placeholder_cannot_share_a_name() -> None:
    body = [{"role": "system", "content": "Use {{ history }}"}, {"type": "placeholder", "name": "history"}]
    with pytest.raises(InvalidRequest, match="history"):
        prompts.check(NewPrompt(name="greeting", type=PromptType.CHAT, body=body))


def test_references_are_found_once_in_text_and_messages() -> None:
    tag = "@@@langfusePrompt:name=rules/tone|label=production@@@"
    found = (Reference("rules/tone", Choice(label="production")),)
    assert prompts.references(f"{tag} and {tag}") == found
    assert prompts.references([{"role": "system", "content": tag}, {"type": "placeholder", "name": "x"}]) == found


@pytest.mark.parametrize("inner", ["", "label=x", "name=a", "name=a|version=x", "name=a|version=1|label=b"])
def test_a_reference_that_names_nothing_is_refused(inner: str) -> None:
    with pytest.raises(InvalidRequest, match="prompt"):
        prompts.check(text(f"@@@langfusePrompt:{inner}@@@"))


def test_a_prompt_that_includes_itself_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="itself"):
        prompts.check(text("@@@langfusePrompt:name=greeting|label=latest@@@"))


def test_texts_are_put_where_their_references_stand() -> None:
    tone = Reference("tone", Choice(2))
    body = [{"role": "system", "content": "Be @@@langfusePrompt:name=tone|version=2@@@."}]
    assert prompts.composed(body, {tone: r"kind \1"}) == [{"role": "system", "content": r"Be kind \1."}]
