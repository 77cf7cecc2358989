"""Scorers of autoevals: one of code, one that asks a model."""

import os

from autoevals import Factuality, Levenshtein

from heliograph.adapters.autoevals import from_autoevals

URL = os.environ["PROVIDER_URL"]


def factuality(model):
    return from_autoevals(Factuality(model=model, api_key="sk-1", base_url=URL))


CODE, MODEL = from_autoevals(Levenshtein()), factuality("gpt-4o-mini")
SAME, OTHER = factuality("gpt-4o-mini"), factuality("gpt-4o")
