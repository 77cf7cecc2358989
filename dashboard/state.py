"""What a page shows, kept in its address so that any view can be shared."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode

import panel as pn
import param

from heliograph.domain.evaluation_jobs import JobState
from heliograph.domain.evaluation_rules import RuleTarget

RANGES = {
    "1h": timedelta(hours=1),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
}
BUCKETS = {
    "1h": timedelta(minutes=1),
    "24h": timedelta(minutes=30),
    "7d": timedelta(hours=3),
    "30d": timedelta(hours=12),
    "90d": timedelta(days=1),
}
SORTABLE = ("timestamp", "name", "latency_ms", "total_tokens", "total_cost", "observation_count")
OBSERVATIONS_SORTABLE = ("start_time", "name", "type", "latency", "total_tokens", "total_cost")
OBSERVATION_TYPES = (
    *("SPAN", "EVENT", "GENERATION", "AGENT", "TOOL", "CHAIN", "RETRIEVER", "EVALUATOR", "EMBEDDING", "GUARDRAIL"),
)
GROUPS_SORTABLE = ("last_at", "first_at", "trace_count", "errors", "tokens", "cost")
# No provider is called so.
NEW_CONNECTION = "+"
PAGE_SIZES = (25, 50, 100)


@dataclass(frozen=True)
class Period:
    """A stretch of time and the bucket in which its charts count."""

    after: datetime
    before: datetime
    bucket: timedelta

    @property
    def previous(self) -> "Period":
        """The equally long stretch just before."""
        return Period(self.after - (self.before - self.after), self.after, self.bucket)


class AddressState(param.Parameterized):
    """Parameters that are mirrored into the page's query string; defaults are left out of it."""

    def read(self, address: Mapping[str, str]) -> None:
        """Take the values from a query string; what does not fit is ignored."""
        for name, default in self._defaults().items():
            if name not in address:
                continue
            try:
                setattr(self, name, int(address[name]) if isinstance(default, int) else address[name])
            except ValueError:
                setattr(self, name, default)

    def become(self, address: Mapping[str, str]) -> None:
        """Take the values from a query string, and the defaults where it says nothing; watchers are told once."""
        with param.parameterized.batch_call_watchers(self):
            self.param.update(**self._defaults())
            self.read(address)

    def write(self) -> str:
        """The query string of the present values, without those at their defaults."""
        changed = {name: str(getattr(self, name)) for name, default in self._defaults().items()}
        return urlencode({name: text for name, text in changed.items() if text != str(self._defaults()[name])})

    def clear(self) -> None:
        """Take the defaults."""
        self.param.update(**self._defaults())

    def _defaults(self) -> dict[str, object]:
        return {name: self.param[name].default for name in self.param if name != "name"}


class Scope(AddressState):
    """The control row: what pages are narrowed to by, as far as each can use it; '' means all.

    The platform's own traces, as of judges' calls, are left out unless `own` is `shown` or their environment is chosen.
    """

    range = param.Selector(default="7d", objects=list(RANGES))
    environment = param.String(default="")
    tag = param.String(default="")
    model = param.String(default="")
    evaluator = param.String(default="")
    own = param.Selector(default="", objects=["", "shown"])

    def period(self, now: datetime | None = None) -> Period:
        """The chosen stretch of time, ending now."""
        before = now or datetime.now(UTC)
        return Period(before - RANGES[self.range], before, BUCKETS[self.range])


class ListState(AddressState):
    """Order, page and hidden columns of a table, a text that what it lists contains, and the saved view behind it."""

    named = param.String(default="")
    sort = param.Selector(default="", objects=[""])
    order = param.Selector(default="desc", objects=["desc", "asc"])
    page = param.Integer(default=1, bounds=(1, 1_000_000))
    size = param.Selector(default=50, objects=list(PAGE_SIZES))
    hidden = param.String(default="")
    view = param.String(default="")


class FilteredList(ListState):
    """A table that is narrowed by conditions; `filter` is a JSON list of them in the API's language."""

    filter = param.String(default="")


class TraceList(FilteredList):
    """Filters, order and page of the table of traces.

    `after` and `before` select a stretch within the period; `live` is `on` while the table follows what arrives.
    """

    user = param.String(default="")
    session = param.String(default="")
    level = param.Selector(default="", objects=["", "ERROR", "WARNING"])
    sort = param.Selector(default="timestamp", objects=list(SORTABLE))
    after = param.String(default="")
    before = param.String(default="")
    pulse = param.Selector(default="latency_ms", objects=["latency_ms", "cost", "off"])
    live = param.Selector(default="", objects=["", "on"])

    def selected(self) -> tuple[datetime, datetime] | None:
        """The selected stretch of time; none where the address names none that can be read."""
        try:
            first, last = (datetime.fromisoformat(text) for text in (self.after, self.before))
        except ValueError:
            return None
        return (first, last) if first.tzinfo and last.tzinfo else None


class ObservationList(FilteredList):
    """Filters, order and page of the table of observations."""

    type = param.Selector(default="", objects=["", *OBSERVATION_TYPES])
    level = param.Selector(default="", objects=["", "ERROR", "WARNING", "DEFAULT", "DEBUG"])
    prompt = param.String(default="")
    sort = param.Selector(default="start_time", objects=list(OBSERVATIONS_SORTABLE))


class GroupList(FilteredList):
    """Filters, order and page of the tables of sessions and of users."""

    sort = param.Selector(default="last_at", objects=list(GROUPS_SORTABLE))


class ScoreList(ListState):
    """Filters and page of the table of scores."""

    score = param.String(default="")
    source = param.Selector(default="", objects=["", "API", "EVAL", "ANNOTATION"])
    kind = param.Selector(default="", objects=["", "NUMERIC", "BOOLEAN", "CATEGORICAL", "TEXT", "CORRECTION"])


class ScoreComparison(AddressState):
    """Whose figures are shown, and with which other score, taken as the truth, they are compared."""

    score = param.String(default="")
    source = param.Selector(default="", objects=["", "API", "EVAL", "ANNOTATION"])
    truth = param.String(default="")
    truth_source = param.Selector(default="", objects=["", "API", "EVAL", "ANNOTATION"])
    match = param.Selector(default="target", objects=["target", "trace"])


class PromptFolder(AddressState):
    """Which folder of prompts is open, and which text their names contain."""

    folder = param.String(default="")
    named = param.String(default="")


class OpenPrompt(AddressState):
    """Which prompt is open, in which version (0 is the newest), compared with which other (0 is the one before)."""

    prompt = param.String(default="")
    version = param.Integer(default=0, bounds=(0, 2**31 - 1))
    against = param.Integer(default=0, bounds=(0, 2**31 - 1))


class OpenPlayground(AddressState):
    """What the playground was opened with: a version of a prompt, or an observation of a trace."""

    prompt = param.String(default="")
    version = param.Integer(default=0, bounds=(0, 2**31 - 1))
    trace = param.String(default="")
    observation = param.String(default="")


class OpenDataset(ListState):
    """Which dataset is open, which of its items, and the page of its items."""

    dataset = param.String(default="")
    item = param.String(default="")


class OpenQueue(ListState):
    """Which annotation queue is open, the page of its items, and the item from which labelling begins.

    `opinion` is `second` for the items that others have completed.
    """

    queue = param.String(default="")
    item = param.String(default="")
    opinion = param.Selector(default="", objects=["", "second"])


class OpenDashboard(AddressState):
    """Which dashboard is open, and which of its widgets is edited: its id, or "new"."""

    dashboard = param.String(default="")
    widget = param.String(default="")


class EvaluatorShelf(AddressState):
    """Which evaluators are shown: those whose names or words contain a text, and of one kind."""

    named = param.String(default="")
    kind = param.Selector(default="", objects=["", "judge", "heuristic", "embedding", "code"])


class OpenEvaluator(AddressState):
    """Which evaluator is open: the project's `own` by its id, or one of the catalogue by its name.

    With neither, a new one of `type`; it begins as the catalogue's `template` says, if that is named.
    """

    own = param.String(default="")
    version = param.Integer(default=0, bounds=(0, 2**31 - 1))
    entry = param.String(default="")
    type = param.Selector(default="llm_as_judge", objects=["llm_as_judge", "code"])
    template = param.String(default="")


class TrialTargets(AddressState):
    """On what an evaluator is tried: which kind of thing, of which type, with which text in its name."""

    about = param.Selector(default="observation", objects=["observation", "experiment", "trace"])
    kind = param.String(default="")
    called = param.String(default="")


class OpenRule(ListState):
    """Which evaluation rule is open, and which of its executions; without one, a new one is put together."""

    rule = param.String(default="")
    status = param.Selector(default="", objects=["", *JobState])


class RuleDraft(AddressState):
    """An evaluation rule that is being put together.

    `by` is the ids of its evaluators and `about` its time scopes, both separated by commas, `filter` a JSON list of
    conditions, `sample` a share in percent, `rest` in seconds, `budget` in US dollars.
    """

    called = param.String(default="")
    target = param.Selector(default="observation", objects=[str(each) for each in RuleTarget])
    filter = param.String(default="")
    sample = param.String(default="100")
    rest = param.String(default="0")
    by = param.String(default="")
    about = param.Selector(default="NEW", objects=["NEW", "NEW,EXISTING", "EXISTING"])
    budget = param.String(default="")


class OpenRun(ListState):
    """Which evaluation run is open, and the page of its failures."""

    run = param.String(default="")


class RunDraft(AddressState):
    """An evaluation run that is being put together.

    `where` is a JSON list of conditions, `evaluators` names of the catalogue separated by commas, `since` a key of
    RANGES or '' for everything, `judge` a provider and its model, `sample` a share in percent, `budget` in US dollars.
    """

    table = param.Selector(default="observations", objects=["observations", "traces"])
    since = param.Selector(default="7d", objects=["", *RANGES])
    where = param.String(default="")
    evaluators = param.String(default="")
    judge = param.String(default="")
    sample = param.String(default="100")
    budget = param.String(default="")
    existing = param.Selector(default="skip", objects=["skip", "replace"])


class OpenSettings(AddressState):
    """Which LLM connection is open in the settings: that of a provider, or NEW_CONNECTION."""

    connection = param.String(default="")


class OpenSession(AddressState):
    """Which session is open."""

    session = param.String(default="")


class OpenTrace(AddressState):
    """Which trace is open, which of its observations is selected, and its picture: the tree, or the graph."""

    trace = param.String(default="")
    observation = param.String(default="")
    picture = param.Selector(default="", objects=["", "graph"])


class Address:
    """Ties the states of a page to the browser's address, for as long as the session lives."""

    def __init__(self, project_id: str, *states: AddressState) -> None:
        self.project_id = project_id
        self.states = states
        self._location = pn.state.location
        values = query_of(self._location.search if self._location else "")
        for state in states:
            state.read(values)
            state.param.watch(self._changed, [name for name in state.param if name != "name"])

    def query(self, *states: AddressState) -> str:
        """The query string of the project and the given states, for a link."""
        parts = [urlencode({"project": self.project_id}), *(state.write() for state in states)]
        return "?" + "&".join(part for part in parts if part)

    def _changed(self, *_: object) -> None:
        # A browser that is about to get the page puts its own address in the place of one that comes with it.
        pn.state.onload(self._write)

    def _write(self) -> None:
        if self._location:
            self._location.search = self.query(*self.states)


def query_of(search: str) -> dict[str, str]:
    """The query string as a mapping; of a repeated name the last value counts."""
    return dict(parse_qsl(search.removeprefix("?"), keep_blank_values=True, max_num_fields=50))
