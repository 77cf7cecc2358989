import pytest

from dashboard.components.diffs import difference
from dashboard.components.folders import inside, path_of
from dashboard.components.prompt_forms import PromptForm, labels_of
from heliograph.domain.errors import InvalidRequest


def test_difference_shows_lines_that_came_and_went_escaped() -> None:
    html = str(difference("keep\n<b>old</b>", "keep\n<b>new</b>"))
    assert '<div class="removed"><span>-</span>&lt;b&gt;old&lt;/b&gt;</div>' in html
    assert '<div class="added"><span>+</span>&lt;b&gt;new&lt;/b&gt;</div>' in html
    assert "<b>" not in html


def test_equal_texts_have_no_difference() -> None:
    assert "the same" in difference("one", "one")


def test_folders_hold_what_is_below_them_at_any_depth() -> None:
    names = ["greeting", "mail/reply", "mail/sort/one", "mail/sort/two", "mailbox"]
    assert inside("", names) == ([("mail", 3)], ["greeting", "mailbox"])
    assert inside("mail", names) == ([("mail/sort", 2)], ["mail/reply"])
    assert path_of("mail/sort") == [("mail", "mail"), ("sort", "mail/sort")]


def test_latest_moves_by_itself_and_is_no_label_to_set() -> None:
    assert labels_of(" production, latest,staging ,production,") == ("production", "staging")


@pytest.mark.parametrize(
    "body", ["[]", "{}", "no json", '[{"role": "user"}]', '["text"]', '[{"type": "placeholder", "name": 1}]']
)
def test_chat_that_holds_no_messages_is_refused(body: str) -> None:
    form = PromptForm(None, "ada@example.com")
    form.name.value_input, form.type.value, form.body.value_input = "greeting", "chat", body
    with pytest.raises(InvalidRequest, match="prompt"):
        form.new()


def test_chat_with_messages_and_placeholders_is_taken() -> None:
    form = PromptForm(None, "ada@example.com")
    form.name.value_input, form.type.value = "greeting", "chat"
    form.body.value_input = '[{"role": "system", "content": "Be kind"}, {"type": "placeholder", "name": "history"}]'
    made = form.new()
    assert (made.name, made.created_by, len(made.body)) == ("greeting", "ada@example.com", 2)
