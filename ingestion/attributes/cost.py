"""Usage and cost of an observation, and the model that prices it."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial

from heliograph.domain.costs import UNITS_PER_DOLLAR, units_of
from heliograph.domain.usage import TOTAL
from ingestion import pricing, tokens, values
from ingestion.attributes import model, repeats, spoken, usage
from ingestion.attributes.group import SpanGroup
from ingestion.attributes.shape import Keys
from ingestion.attributes.spoken import Spoken
from ingestion.attributes.usage import Usage
from ingestion.pricing import PriceBook
from ingestion.rows import Columns, TextMap
from ingestion.tiers import NOTHING, Bill, Costs, PricedModel
from ingestion.values import Value

# Contract 4.7: details by key, or one total; either one switches inference off.
DETAILS_KEY = "langfuse.observation.cost_details"
TOTAL_KEYS: Keys = ("gen_ai.usage.cost", "llm.cost.total")


# Contract 5: what did not fail is counted; an agent or a chain repeats what its generations say.
_COUNTED_BY = ("type", "level", "input", "output")
_COUNTED_TYPES = frozenset({"GENERATION", "EMBEDDING"})
_FAILED = "ERROR"

# The metadata that explains why a span's usage and cost are not in its columns, and holds them.
NOT_COUNTED = "usage_not_counted"


class Counted:
    """What was provided for some rows: model names, usage and costs.

    Args:
        models: '' where none was named.
        usages: empty where none was reported: then tokens are counted.
        costs: empty where none was provided.
        spoken: per row, what is counted instead of input and output; see `spoken.of`.
    """

    def __init__(
        self,
        models: Sequence[str],
        usages: Sequence[Usage],
        costs: Sequence[Costs],
        *,
        spoken: Callable[[], Sequence[Spoken | None] | None] = lambda: None,
    ) -> None:
        self._spoken = spoken
        self._models = models
        self._usages = usages
        self._costs = costs
        self._are_left_out: Sequence[bool] = ()

    def without(self, reasons: Sequence[str]) -> "Counted":
        """The same, with no usage and no cost where there is a reason to leave them out."""
        kept = Counted(
            self._models,
            [{} if reason else used for used, reason in zip(self._usages, reasons, strict=True)],
            [{} if reason else costs for costs, reason in zip(self._costs, reasons, strict=True)],
            spoken=self._spoken,
        )
        kept._are_left_out = list(map(bool, reasons))
        return kept

    def explained(self, reasons: Sequence[str]) -> list[TextMap]:
        """What is left out for these reasons, as metadata."""
        return [
            {NOT_COUNTED: _explained(reason, used, costs)} if reason and (used or costs) else {}
            for reason, used, costs in zip(reasons, self._usages, self._costs, strict=True)
        ]

    def fill(self, rows: Sequence[int], prices: PriceBook, columns: Columns) -> None:
        """Prices what has no provided cost, and sets the columns.

        Start times, model parameters and metadata must be set already: definitions and tiers may depend on them.
        """
        known = prices.match_all(self._models, lambda: columns.values("start_time", rows))
        columns.put("provided_model_name", rows, self._models)
        columns.put("model_id", rows, [found.id if found else "" for found in known])
        counted = list(map(usage.with_total, self._with_tokens(rows, known, columns)))
        totals = [used for used, _, _, _ in counted]
        if any(totals):
            columns.put("provided_usage_details", rows, self._usages)
            columns.put("usage_details", rows, totals)
            columns.put("input_tokens", rows, [units for _, units, _, _ in counted])
            columns.put("output_tokens", rows, [units for _, _, units, _ in counted])
            columns.put("total_tokens", rows, [units for _, _, _, units in counted])
        if any(self._costs):
            columns.put("provided_cost_details", rows, self._costs)
        calls = zip(columns.values("model_parameters", rows), columns.values("metadata", rows), strict=True)
        bills = [
            (pricing.with_total(costs), "", ()) if costs else model.price(units, *call) if model else NOTHING
            for costs, model, units, call in zip(self._costs, known, totals, calls, strict=True)
        ]
        _fill_bills(rows, bills, columns)

    def _with_tokens(
        self, rows: Sequence[int], known: Sequence[PricedModel | None], columns: Columns
    ) -> Sequence[Usage]:
        """The usages; where nothing was provided, the tokens of what a generation said, if its tokenizer is known."""
        if all(self._usages):
            return self._usages
        untold = [
            place
            for place, model in enumerate(known)
            if model is not None and model.has_tokenizer and not self._usages[place] and not self._costs[place]
        ]
        if not untold:
            return self._usages
        usages, spoken = list(self._usages), self._spoken()
        texts = (columns.values(name, [rows[place] for place in untold]) for name in _COUNTED_BY)
        for place, (kind, severity, said, answered) in zip(untold, zip(*texts, strict=True), strict=True):
            model = known[place]
            is_left_out = bool(self._are_left_out) and self._are_left_out[place]
            if model and kind in _COUNTED_TYPES and severity != _FAILED and not is_left_out:
                told = spoken[place] if spoken else None
                usages[place] = tokens.count(model.model, *(told or (said, answered)))
        return usages


def _fill_bills(rows: Sequence[int], bills: Sequence[Bill], columns: Columns) -> None:
    costs = [found for found, _, _ in bills]
    if any(costs):
        columns.put("cost_details", rows, costs)
        columns.put("total_cost", rows, [found.get(TOTAL, 0) for found in costs])
        columns.put("pricing_tier", rows, [tier for _, tier, _ in bills])
    unpriced = [keys for _, _, keys in bills]
    if any(unpriced):
        columns.put("unpriced_usage", rows, unpriced)


def of(group: SpanGroup) -> tuple[Counted | None, list[TextMap] | None]:
    """What the spans provide and is theirs, and metadata about what is not counted; None when there is none."""
    models = model.names(group)
    usages = usage.of(group)
    costs = _provided(group)
    if models is None and usages is None and costs is None:
        return None, None
    counted = Counted(
        models or [""] * len(group), usages or [{}] * len(group), costs or [{}] * len(group),
        spoken=partial(spoken.of, group),
    )  # fmt: skip
    reasons = repeats.reasons(group)
    return (counted, None) if reasons is None else (counted.without(reasons), counted.explained(reasons))


def _explained(reason: str, used: Usage, costs: Costs) -> str:
    dollars = {key: float(Decimal(units) / UNITS_PER_DOLLAR) for key, units in costs.items()}
    return values.to_json({"reason": reason, "usage": used, "cost": dollars})


def _provided(group: SpanGroup) -> list[Costs] | None:
    totals = group.first(TOTAL_KEYS)
    if group.has(DETAILS_KEY):
        declared = [_declared(value) for value in group.column(DETAILS_KEY)]
        others = map(_total, totals or group.constant(None))
        return [other if costs is None else costs for costs, other in zip(declared, others, strict=True)]
    return None if totals is None else list(map(_total, totals))


def _declared(value: Value) -> Costs | None:
    """None when the value cannot be parsed, so that the next source is asked."""
    try:
        parsed = values.from_json(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return pricing.provided(parsed) if isinstance(parsed, dict) else {}


def _total(value: Value) -> Costs:
    cost = units_of(value)
    return {} if cost is None else {TOTAL: cost}
