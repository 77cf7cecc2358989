"""Metrics of DeepEval: one of code, one that asks a model."""

import os

from deepeval.metrics import ExactMatchMetric, GEval
from deepeval.models import GPTModel
from deepeval.test_case import SingleTurnParams

from heliograph.adapters.deepeval import from_deepeval

URL = os.environ["PROVIDER_URL"]


def polite(model):
    asked = GPTModel(model=model, api_key="sk-1", base_url=URL)
    steps, read = ["Say whether the output is polite."], [SingleTurnParams.ACTUAL_OUTPUT]
    return from_deepeval(GEval(name="polite", evaluation_steps=steps, evaluation_params=read, model=asked))


CODE, MODEL = from_deepeval(ExactMatchMetric()), polite("gpt-4o-mini")
SAME, OTHER = polite("gpt-4o-mini"), polite("gpt-4o")
