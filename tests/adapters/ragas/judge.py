"""Metrics of Ragas: one of code, one that asks a model."""

import os

from openai import AsyncOpenAI
from ragas.llms import llm_factory
from ragas.metrics.collections import AnswerAccuracy, ExactMatch

from heliograph.adapters.ragas import from_ragas

CLIENT = AsyncOpenAI(api_key="sk-1", base_url=os.environ["PROVIDER_URL"])


def accuracy(model):
    return from_ragas(AnswerAccuracy(llm=llm_factory(model, client=CLIENT)))


CODE, MODEL = from_ragas(ExactMatch()), accuracy("gpt-4o-mini")
SAME, OTHER = accuracy("gpt-4o-mini"), accuracy("gpt-4o")
