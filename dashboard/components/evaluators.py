"""What is shown of evaluators, as escaped HTML: those of the catalogue, and those that a project keeps."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from dashboard.components import details, formats
from dashboard.components.payload import facts, section
from dashboard.state import OpenEvaluator
from evals.catalogue import Entry
from heliograph.domain.project_evaluators import (
    CategoricalOutput,
    Definition,
    EvaluatorType,
    EvaluatorVersion,
    ModelChoice,
    NumericOutput,
    Output,
    ProjectEvaluator,
)

NONE_OWN = Markup(
    '<p class="absent">None yet. A judge asks a model about what was traced, code computes. Make one with the buttons'
    " above, or open one of the catalogue and make it your own. Both are tried on real traces before they are saved."
    "</p>"
)
NOTHING_FOUND = Markup('<p class="absent">No evaluator of the catalogue matches: clear the search or the kind.</p>')
_KINDS = {EvaluatorType.LLM_AS_JUDGE: "judge", EvaluatorType.CODE: "code"}


def own_row(evaluator: ProjectEvaluator, link: str) -> dict[str, Any]:
    """A row of the table of the project's evaluators."""
    definition = evaluator.definition
    return {
        "href": f"/evaluator{link}&{OpenEvaluator(own=evaluator.id).write()}",
        "name": evaluator.name,
        "kind": _KINDS[definition.type],
        "version": f"v{evaluator.version}",
        "gives": gives(definition.output) if definition.output else "what it says",
        "inputs": list(definition.variables) if definition.type is EvaluatorType.LLM_AS_JUDGE else [],
        "model": model_name(definition),
        "rules": formats.count(evaluator.rule_count),
        "updated_at": formats.moment(evaluator.updated_at),
    }


def entry_row(entry: Entry, link: str) -> dict[str, Any]:
    """A row of the table of the catalogue."""
    return {
        "href": f"/evaluator{link}&{OpenEvaluator(entry=entry.name).write()}",
        "name": entry.name,
        "kind": entry.kind,
        "summary": entry.summary,
        "inputs": [*entry.inputs, *(f"{name}?" for name in entry.optional)],
        "values": entry.values,
        "source": entry.source,
    }


def matches(entry: Entry, text: str) -> bool:
    """Whether a text is somewhere in what is said of an evaluator of the catalogue."""
    said = " ".join([entry.name, entry.family, entry.summary, entry.source, *entry.inputs, *entry.optional])
    return text.lower() in said.lower()


def gives(output: Output) -> str:
    """What a judge answers, in words."""
    if isinstance(output, NumericOutput):
        low, high = output.score.min_value, output.score.max_value
        return f"{'any' if low is None else f'{low:g}'} to {'any' if high is None else f'{high:g}'}"
    if isinstance(output, CategoricalOutput):
        several = "any of " if output.score.should_allow_multiple_matches else ""
        return several + ", ".join(output.score.categories)
    return "true or false"


def model_name(definition: Definition) -> str:
    """The model that a judge asks."""
    if definition.type is EvaluatorType.CODE:
        return ""
    return named(definition.model) if definition.model else "the default"


def named(model: ModelChoice) -> str:
    """A model with its provider."""
    return f"{model.provider} / {model.model}"


def heading(evaluator: ProjectEvaluator) -> Markup:
    """The evaluator and its facts."""
    numbers = [
        ("Kind", _KINDS[evaluator.definition.type]),
        ("Latest version", str(evaluator.version)),
        ("Rules that use it", formats.count(evaluator.rule_count)),
        ("Changed", f"{formats.moment(evaluator.updated_at)} UTC"),
    ]
    return details.heading(evaluator.name, numbers)


def new_heading(type_: EvaluatorType, template: str) -> Markup:
    """Above the form of an evaluator that does not exist yet."""
    if type_ is EvaluatorType.CODE:
        title, words = "New evaluator: code", "A function evaluate(ctx) in Python, run in a sandbox."
    else:
        title = f"New evaluator after {template}" if template else "New evaluator: judge"
        words = "A prompt with {{variables}} for a model. Try it below on what was traced, then save it."
    return Markup('<h2>{}</h2><p class="quiet">{}</p>').format(title, words)


def definition_content(definition: Definition) -> Markup:
    """What one version says."""
    if definition.type is EvaluatorType.CODE:
        return section("Code", Markup('<pre tabindex="0">{}</pre>').format(definition.source_code))
    output = definition.output
    assert output is not None
    parameters = (definition.model.model_params or {}) if definition.model else {}
    told = facts(
        [
            ("Model", model_name(definition)),
            ("Parameters", ", ".join(f"{name} {value}" for name, value in parameters.items())),
            ("Gives", gives(output)),
            ("Score", output.score.description),
            ("Reasoning", output.reasoning.description),
            ("Variables", ", ".join(definition.variables)),
        ]
    )
    return section("Prompt", Markup('<pre tabindex="0">{}</pre>').format(definition.prompt)) + section("Answer", told)


def text_of(definition: Definition) -> str:
    """All of a version as the text in which versions are compared."""
    if definition.type is EvaluatorType.CODE:
        return definition.source_code
    assert definition.output is not None
    answer = definition.output
    lines = [f"Model: {model_name(definition)}", f"Gives: {gives(answer)}", f"Score: {answer.score.description}"]
    return "\n".join([definition.prompt, "", *lines, f"Reasoning: {answer.reasoning.description}"])


def entry_content(entry: Entry, prompt: str) -> Markup:
    """An evaluator of the catalogue: what it needs and gives, where it is from, and what its judge is asked."""
    parameters = [text for text in entry.parameters if text not in {"judge", "embedder"}]
    told = facts(
        [
            ("Kind", entry.kind),
            ("Family", entry.family),
            ("Inputs", ", ".join(entry.inputs) or "none"),
            ("Optional inputs", ", ".join(entry.optional)),
            ("Gives", entry.values),
            ("Parameters", ", ".join(parameters)),
            ("Source", entry.source),
        ]
    )
    rubric = Markup('<pre tabindex="0">{}</pre>').format(prompt) if prompt else Markup("")
    head = Markup('<h2>{}</h2><p class="quiet">{}</p>').format(entry.name, entry.summary)
    return head + section("About", told) + section("What its judge is asked", rubric) + section("Use", _use(entry))


def _use(entry: Entry) -> Markup:
    if entry.kind == "embedding":
        return Markup('<p class="quiet">It needs an embedder: make it in Python, and give it as it is.</p>')
    asked = f'on_server("{entry.name}", judge="openai/gpt-4o-mini")' if entry.kind == "judge" else f'"{entry.name}"'
    budget = ", budget_usd=5" if entry.kind == "judge" else ""
    code = f'project.evaluate(project.observations(since="7d"), [{asked}]{budget}).wait()'
    words = "Name it in a run over what is stored:"
    return Markup('<p class="quiet">{}</p><pre>{}</pre>').format(words, code)


def version_list(versions: Sequence[EvaluatorVersion], shown: int, link: str, *, evaluator_id: str) -> Markup:
    """The versions as links, the newest first."""
    rows = [
        Markup('<a href="{}"{}><b>Version {}</b><span class="quiet">{} UTC</span></a>').format(
            f"/evaluator{link}&{OpenEvaluator(own=evaluator_id, version=each.version).write()}",
            Markup(' aria-current="true"') if each.version == shown else "",
            each.version,
            formats.moment(each.created_at),
        )
        for each in versions
    ]
    return Markup('<nav class="versions" aria-label="Versions">{}</nav>').format(Markup("").join(rows))
