"""What is shown of one prompt, as escaped HTML."""

from collections.abc import Sequence

from markupsafe import Markup

from dashboard.components import details, formats
from dashboard.components.media import gallery
from dashboard.components.payload import pretty, section
from dashboard.state import OpenPrompt
from heliograph.domain.prompts import Prompt, references, variables

ONLY_VERSION = Markup('<p class="absent">There is no other version to compare with.</p>')
LABELS_MOVE = Markup(
    '<p class="quiet">A label is on one version at most: put on this one, it leaves the version that has it now.'
    " Applications that ask for the label get this version within seconds.</p>"
)


def new_heading(*, may_change: bool) -> Markup:
    """Above the form of a prompt that does not exist yet."""
    words = (
        "Slashes in the name make folders. {{name}} is a variable that the application fills."
        if may_change
        else "Your role may read prompts, not make them: ask an admin of the project."
    )
    return Markup('<h2>New prompt</h2><p class="quiet">{}</p>').format(words)


def heading(prompt: Prompt) -> Markup:
    """The prompt and the facts of the version that is shown."""
    numbers = [
        ("Version", str(prompt.version)),
        ("Labels", ", ".join(prompt.labels)),
        ("Type", prompt.type),
        ("By", prompt.created_by),
        ("Made", f"{formats.moment(prompt.created_at)} UTC"),
        ("Tags", ", ".join(prompt.tags)),
        ("What changed", prompt.commit_message or ""),
    ]
    return details.heading(prompt.name, numbers)


def version_list(versions: Sequence[Prompt], shown: Prompt, link: str) -> Markup:
    """The versions as links, the newest first."""
    return Markup('<nav class="versions" aria-label="Versions">{}</nav>').format(
        Markup("").join(_version(prompt, link, is_shown=prompt.version == shown.version) for prompt in versions)
    )


def content(prompt: Prompt) -> Markup:
    """The text or the messages with the project's files, what they need and include, and the configuration."""
    body = _text(prompt.body, prompt.project_id) if isinstance(prompt.body, str) else _messages(prompt)
    needed = ", ".join(sorted(variables(prompt.body)))
    included = ", ".join(f"{one.name} ({one.choice.in_words})" for one in references(prompt.body))
    return Markup("").join(
        [
            body if not isinstance(prompt.body, str) else section("Text", body),
            section("Variables", Markup("<p>{}</p>").format(needed) if needed else Markup("")),
            section("Includes", Markup("<p>{}</p>").format(included) if included else Markup("")),
            section("Configuration", pretty(prompt.config) if prompt.config else Markup("")),
        ]
    )


def _text(text: str, project_id: str) -> Markup:
    return Markup("<pre>{}</pre>{}").format(text, gallery(text, project_id))


def _messages(prompt: Prompt) -> Markup:
    parts = [part for part in prompt.body if isinstance(part, dict)]
    return Markup("").join(
        Markup('<p class="place">Messages of “{}”</p>').format(part.get("name", ""))
        if part.get("type") == "placeholder"
        else Markup('<article class="message {}"><h4>{}</h4>{}</article>').format(
            part["role"] if part.get("role") in {"system", "user", "assistant"} else "other",
            part.get("role", ""),
            _text(str(part.get("content", "")), prompt.project_id),
        )
        for part in parts
    )


def _version(prompt: Prompt, link: str, *, is_shown: bool) -> Markup:
    href = f"/prompt{link}&{OpenPrompt(prompt=prompt.name, version=prompt.version).write()}"
    chips = Markup("").join(
        Markup('<span class="chip{}">{}</span>').format(" strong" if label == "production" else "", label)
        for label in prompt.labels
    )
    return Markup('<a href="{}"{}><b>Version {}</b> {}<span class="quiet">{} · {}</span></a>').format(
        href,
        Markup(' aria-current="true"') if is_shown else "",
        prompt.version,
        chips,
        formats.moment(prompt.created_at),
        prompt.created_by,
    )
