"""Prompts, by the generated client and by the one that people use."""

from typing import Any

import pytest
from generated import MAJOR


@pytest.mark.sample
def test_a_prompt_is_fetched_by_label_and_by_version(langfuse: Any, name: str) -> None:
    made = langfuse.create_prompt(name=name, prompt="Say {{word}}!", labels=["production"], tags=["t"], config={"k": 1})
    langfuse.create_prompt(name=name, prompt="Shout {{word}}!", labels=["staging"])

    assert (made.name, made.version, made.labels) == (name, 1, ["latest", "production"]) or made.labels == [
        "production",
        "latest",
    ]
    fetched = langfuse.get_prompt(name)
    assert (fetched.version, fetched.compile(word="hi"), fetched.config, fetched.tags) == (
        1,
        "Say hi!",
        {"k": 1},
        ["t"],
    )
    assert langfuse.get_prompt(name, label="staging").prompt == "Shout {{word}}!"
    assert langfuse.get_prompt(name, version=1).prompt == "Say {{word}}!"
    assert langfuse.get_prompt(name, label="latest").version == 2


def test_a_chat_prompt_is_compiled(langfuse: Any, name: str) -> None:
    messages = [{"role": "system", "content": "You know {{field}}."}, {"role": "user", "content": "{{question}}"}]
    langfuse.create_prompt(name=name, prompt=messages, type="chat", labels=["production"])

    compiled = langfuse.get_prompt(name, type="chat").compile(field="art", question="why?")

    assert [(each["role"], each["content"]) for each in compiled] == [("system", "You know art."), ("user", "why?")]


@pytest.mark.majors(3, 5)
def test_placeholders_of_a_chat_prompt_are_filled(langfuse: Any, name: str) -> None:
    messages = [{"role": "system", "content": "Be {{how}}."}, {"type": "placeholder", "name": "history"}]
    langfuse.create_prompt(name=name, prompt=messages, type="chat", labels=["production"])

    past = [{"role": "user", "content": "hi"}]
    compiled = langfuse.get_prompt(name, type="chat").compile(how="kind", history=past)

    assert [(each["role"], each["content"]) for each in compiled] == [("system", "Be kind."), ("user", "hi")]


def test_a_label_moves_and_a_fetch_sees_it_when_its_cache_is_over(langfuse: Any, name: str) -> None:
    langfuse.create_prompt(name=name, prompt="one", labels=["production"])
    langfuse.create_prompt(name=name, prompt="two", labels=[])
    assert langfuse.get_prompt(name, cache_ttl_seconds=300).prompt == "one"

    changed = langfuse.update_prompt(name=name, version=2, new_labels=["production", "blue"])

    assert {"production", "blue", "latest"} == set(changed.labels)
    assert langfuse.get_prompt(name, cache_ttl_seconds=0).prompt == "two"
    assert "production" not in langfuse.get_prompt(name, version=1, cache_ttl_seconds=0).labels


@pytest.mark.majors(3, 5)
def test_an_emptied_cache_fetches_again(langfuse: Any, api: Any, name: str) -> None:
    langfuse.create_prompt(name=name, prompt="one", labels=["production"])
    assert langfuse.get_prompt(name, cache_ttl_seconds=300).prompt == "one"
    api("prompts.create", type="text", name=name, prompt="two", labels=["production"])
    assert langfuse.get_prompt(name, cache_ttl_seconds=300).prompt == "one"

    langfuse.clear_prompt_cache()

    assert langfuse.get_prompt(name, cache_ttl_seconds=300).prompt == "two"


def test_a_missing_prompt_falls_back_or_raises(langfuse: Any, name: str) -> None:
    fallback = langfuse.get_prompt(name, fallback="Use {{this}}", max_retries=1)

    assert (fallback.is_fallback, fallback.compile(this="it")) == (True, "Use it")
    with pytest.raises(Exception, match="Prompt not found"):
        langfuse.get_prompt(name, max_retries=1)


def test_a_name_with_a_slash_is_one_name(langfuse: Any, name: str) -> None:
    langfuse.create_prompt(name=f"{name}/a b", prompt="x", labels=["production"])

    assert langfuse.get_prompt(f"{name}/a b").name == f"{name}/a b"


def test_prompts_are_created_read_and_listed(api: Any, name: str) -> None:
    made = api(
        "prompts.create", type="chat", name=name, prompt=[{"role": "user", "content": "{{q}}"}], labels=["a"],
        tags=["t1"], config={"temperature": 0.5}, commit_message="first",
    )  # fmt: skip
    assert (made.name, made.version, made.type, made.config) == (name, 1, "chat", {"temperature": 0.5})
    assert (set(made.labels), made.tags, made.commit_message) == ({"a", "latest"}, ["t1"], "first")

    read = api("prompts.get", prompt_name=name, label="a")
    assert (read.prompt[0].role, read.prompt[0].content) == ("user", "{{q}}")

    listed = api("prompts.list", name=name)
    (meta,) = listed.data
    assert (meta.name, meta.versions, set(meta.labels), meta.tags) == (name, [1], {"a", "latest"}, ["t1"])
    assert meta.last_config == {"temperature": 0.5}
    assert (listed.meta.total_items, listed.meta.page) == (1, 1)

    changed = api("prompt_version.update", name=name, version=1, new_labels=["production"])
    assert set(changed.labels) == {"a", "latest", "production"}


@pytest.mark.needs("prompts.delete")
def test_a_version_is_deleted_and_then_the_prompt(api: Any, name: str) -> None:
    for text in ("one", "two"):
        api("prompts.create", type="text", name=name, prompt=text, labels=[])

    api("prompts.delete", prompt_name=name, version=1)

    assert api("prompts.list", name=name).data[0].versions == [2]
    api("prompts.delete", prompt_name=name)
    assert api("prompts.list", name=name).data == []


@pytest.mark.majors(5)
def test_a_prompt_within_a_prompt_is_resolved_unless_told_otherwise(api: Any, name: str) -> None:
    tag = f"@@@langfusePrompt:name={name}|label=production@@@"
    api("prompts.create", type="text", name=name, prompt="inner", labels=["production"])
    api("prompts.create", type="text", name=f"{name}-outer", prompt=f"<{tag}>", labels=["production"])

    assert api("prompts.get", prompt_name=f"{name}-outer").prompt == "<inner>"
    assert api("prompts.get", prompt_name=f"{name}-outer", resolve=False).prompt == f"<{tag}>"


def test_a_prompt_that_was_used_is_told_by_its_generation(langfuse: Any, api: Any, name: str, eventually: Any) -> None:
    langfuse.create_prompt(name=name, prompt="Say it", labels=["production"])
    prompt = langfuse.get_prompt(name)
    if MAJOR == 2:
        generation = langfuse.generation(name="used", prompt=prompt, model="gpt-4o")
        trace_id = generation.trace_id
    else:
        generation = langfuse.start_observation(name="used", as_type="generation", prompt=prompt, model="gpt-4o")
        generation.end()
        trace_id = generation.trace_id
    langfuse.flush()

    def read() -> list[Any]:
        fields = {"fields": "core,basic,prompt"} if MAJOR >= 4 else {}
        return api("observations.get_many", trace_id=trace_id, **fields).data

    (used,) = eventually(read)
    assert (used.prompt_name, used.prompt_version) == (name, 1)
