"""Files that payloads refer to: images, sounds and films are shown, everything else is a link.

A page never loads what a payload names. Only references of the contract become addresses, all of our own origin, where
`dashboard.files` asks who looks.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markupsafe import Markup

PATH = "/files"
_REFERENCE = re.compile(r"@@@langfuseMedia:type=([\w.+-]+/[\w.+-]+)\|id=([\w-]{1,100})\|source=[\w.-]*@@@", re.ASCII)
_SHOWN = {
    "image": '<img src="{}" alt="{}" loading="lazy">',
    "audio": '<audio controls preload="none" src="{}" title="{}"></audio>',
    "video": '<video controls preload="none" src="{}" title="{}"></video>',
}


@dataclass(frozen=True)
class Reference:
    """A file of a project, as a payload refers to it."""

    content_type: str
    id: str

    @classmethod
    def of(cls, found: re.Match[str]) -> "Reference":
        """What was found in a text."""
        return cls(found[1], found[2])

    def shown(self, project_id: str) -> Markup:
        """The file, and a link to it, for those who may see the project."""
        address = f"{PATH}/{quote(project_id, safe='')}/{quote(self.id, safe='')}"
        form = Markup(_SHOWN.get(self.content_type.partition("/")[0], ""))  # noqa: S704 - one of the above
        link = Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>')
        return Markup('<span class="media">{}{}</span>').format(
            form.format(address, self.content_type), link.format(address, self.content_type)
        )


def references(text: str) -> Iterator[Reference]:
    """The files that a text refers to, each once."""
    yield from dict.fromkeys(map(Reference.of, _REFERENCE.finditer(text)))


def gallery(text: str, project_id: str) -> Markup:
    """The files that a text refers to, one beside the other."""
    return Markup("").join(each.shown(project_id) for each in references(text)) if project_id else Markup("")


def understand_references(markdown: MarkdownIt) -> None:
    """Let a renderer show files in the text, of the project that its environment names as `project_id`."""
    markdown.inline.ruler.before("text", "media", _media)


def _media(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the renderer's signature
    found = _REFERENCE.match(state.src, state.pos, state.posMax)
    if found is None or not state.env.get("project_id"):
        return False
    if not silent:
        state.push("html_inline", "", 0).content = str(Reference.of(found).shown(state.env["project_id"]))
    state.pos = found.end()
    return True
