"""Usage and cost of an observation, and the model that prices it."""

from collections.abc import Sequence

from ingestion import pricing, values
from ingestion.attributes import model, usage
from ingestion.attributes.group import SpanGroup
from ingestion.attributes.shape import Keys
from ingestion.attributes.usage import Usage
from ingestion.model_match import Model
from ingestion.pricing import Costs, PriceBook
from ingestion.rows import MAX_COST, Columns
from ingestion.values import Value

# Contract 4.7: details by key, or one total; either one switches inference off.
DETAILS_KEY = "langfuse.observation.cost_details"
TOTAL_KEYS: Keys = ("gen_ai.usage.cost", "llm.cost.total")


def fill(group: SpanGroup, prices: PriceBook, columns: Columns) -> None:
    """Sets the columns of model, usage, tokens and cost."""
    models = model.names(group)
    usages = usage.of(group)
    costs = _provided(group)
    if models is None and usages is None and costs is None:
        return
    counted = Counted(
        models or [""] * len(group), usages or [{}] * len(group), costs or [{}] * len(group),
    )  # fmt: skip
    repeats = model.repeats_its_children(group)
    if repeats is not None:
        counted = counted.without(repeats)
    counted.fill(group.rows, prices, columns)


class Counted:
    """What was provided for some rows: model names, usage and costs."""

    def __init__(self, models: Sequence[str], usages: Sequence[Usage], costs: Sequence[Costs]) -> None:
        self._models = models
        self._usages = usages
        self._costs = costs

    def without(self, left_out: Sequence[bool]) -> "Counted":
        """The same, with nothing provided where it must be left out."""
        return Counted(
            ["" if out else name for name, out in zip(self._models, left_out, strict=True)],
            [{} if out else used for used, out in zip(self._usages, left_out, strict=True)],
            [{} if out else costs for costs, out in zip(self._costs, left_out, strict=True)],
        )

    def fill(self, rows: Sequence[int], prices: PriceBook, columns: Columns) -> None:
        """Prices what has no provided cost, and sets the columns."""
        known = list(map(prices.match, self._models))
        columns.put("provided_model_name", rows, self._models)
        columns.put("model_id", rows, [found.id if found else "" for found in known])
        counted = list(map(usage.with_total, self._usages))
        totals = [used for used, _, _, _ in counted]
        if any(totals):
            columns.put("provided_usage_details", rows, self._usages)
            columns.put("usage_details", rows, totals)
            columns.put("input_tokens", rows, [units for _, units, _, _ in counted])
            columns.put("output_tokens", rows, [units for _, _, units, _ in counted])
            columns.put("total_tokens", rows, [units for _, _, _, units in counted])
        self._fill_costs(rows, list(zip(known, totals, strict=True)), columns)

    def _fill_costs(self, rows: Sequence[int], used: Sequence[tuple[Model | None, Usage]], columns: Columns) -> None:
        if any(self._costs):
            columns.put("provided_cost_details", rows, self._costs)
        details = [
            pricing.with_total(costs) if costs else pricing.price(model, units) if model and units else {}
            for costs, (model, units) in zip(self._costs, used, strict=True)
        ]
        if not any(details):
            return
        columns.put("cost_details", rows, details)
        columns.put("total_cost", rows, [costs.get("total", 0) for costs in details])
        tiers = [
            model.pricing_tier if model and priced and not given else ""
            for (model, _), priced, given in zip(used, details, self._costs, strict=True)
        ]
        columns.put("pricing_tier", rows, tiers)


def _provided(group: SpanGroup) -> list[Costs] | None:
    totals = group.first(TOTAL_KEYS)
    if group.has(DETAILS_KEY):
        declared = [_declared(value) for value in group.column(DETAILS_KEY)]
        others = map(_total, totals or group.constant(None))
        return [other if costs is None else costs for costs, other in zip(declared, others, strict=True)]
    return None if totals is None else list(map(_total, totals))


def _declared(value: Value) -> Costs | None:
    """None when the value cannot be parsed, so that the next source is asked."""
    if not isinstance(value, str):
        return {}
    try:
        parsed = values.from_json(value)
    except ValueError:
        return None
    return pricing.provided(parsed) if isinstance(parsed, dict) else {}


def _total(value: Value) -> Costs:
    cost = pricing.picodollars(value)
    return {} if cost is None else {"total": min(cost, MAX_COST)}
