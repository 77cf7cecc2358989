"""`heliograph prices`: the managed price list."""

from types import ModuleType
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from heliograph.domain.models import Model, PricingTier

app = typer.Typer(help="What the models that Heliograph knows cost.", no_args_is_help=True)

_MILLION = 1_000_000
_SHOWN = {"input": "input", "input_cached_tokens": "cached", "input_cache_creation": "cache write", "output": "output"}


@app.command("list")
def show(
    search: Annotated[str, typer.Argument(help="Only models whose name contains this.")] = "",
    *,
    reported: Annotated[str, typer.Option("--match", help="Only the model that this reported name means.")] = "",
) -> None:
    """Show managed models, their tiers and their prices for a million units."""
    pricing = _pricing()
    found = pricing.managed_prices().match(reported) if reported else None
    models = ([found] if found else []) if reported else pricing.managed_prices().models
    table = Table(box=None, pad_edge=False)
    for title in ("model", "from", "tier"):
        table.add_column(title, overflow="fold")
    for title in _SHOWN.values():
        table.add_column(title, justify="right", no_wrap=True)
    for model in sorted((model for model in models if search.lower() in model.name.lower()), key=_place):
        for tier in model.tiers:
            table.add_row(*_row(model, tier))
    Console(highlight=False).print(table if table.rows else "No such model.")


@app.command()
def refresh(
    version: Annotated[str, typer.Option("--from", help="A release of genai-prices; the newest by default.")] = "",
) -> None:
    """Write the managed list anew from `genai-prices`, fetched from PyPI; a replica reads it when it starts."""
    console = Console(highlight=False)
    done = _price_list().refresh(version=version)
    console.print(f"{done.models} definitions from genai-prices {done.version}")
    for title, ids in (("added", done.added), ("removed", done.removed), ("changed", done.changed)):
        console.print(f"{title:<8} {len(ids):>4}  {', '.join(ids[:20])}{' …' if len(ids) > 20 else ''}")


def _place(model: Model) -> tuple[str, str]:
    return model.name, model.id


def _row(model: Model, tier: PricingTier) -> list[str]:
    starts = f"{model.start_date:%Y-%m-%d}" if model.start_date else ""
    return [model.name, starts, tier.name, *(_per_million(tier, key) for key in _SHOWN)]


def _per_million(tier: PricingTier, key: str) -> str:
    from heliograph.domain.model_documents import dollars  # noqa: PLC0415 - pyarrow: other commands do without

    return f"{(dollars(tier.prices[key]) * _MILLION).normalize():f}" if key in tier.prices else ""


def _pricing() -> ModuleType:
    # pyarrow, which the other commands do without.
    from ingestion import pricing  # noqa: PLC0415

    return pricing


def _price_list() -> ModuleType:
    # As `_pricing`.
    from operations import price_list  # noqa: PLC0415

    return price_list
