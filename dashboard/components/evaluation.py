"""What all pages of evaluation share: the way between them, and what leads to a model that can be asked."""

from markupsafe import Markup

from dashboard.components import panes

NOT_ALLOWED = Markup(
    '<h2>Evaluation</h2><p class="quiet">Your role may look at what is evaluated: ask an admin of this project for one'
    " that may evaluate.</p>"
)
_PAGES = (("/evaluators", "Evaluators"), ("/rules", "Rules"), ("/runs", "Runs"))


def way_between(path: str, link: str) -> Markup:
    """The pages of the section as links, the one of `path` marked."""
    return panes.between("Evaluation", _PAGES, path=path, link=link)


def no_model(link: str) -> Markup:
    """That no judge can be asked yet, and what to do."""
    return Markup(
        '<p class="quiet">No model can be asked yet: judges need one of the project\'s LLM connections. Make one in'
        ' <a href="/settings{}">Settings</a>. Evaluators that ask no model can run without.</p>'
    ).format(link)
