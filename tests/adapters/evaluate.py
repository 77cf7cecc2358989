"""Run in a library's environment: what its evaluators in `judge.py` say of two rows, as JSON."""

import asyncio
import json
import sys
from dataclasses import asdict

sys.path.insert(0, sys.argv[1])

import judge

ROWS = [
    {"input": "Where is it?", "output": "In Rome.", "expected_output": "In Rome."},
    {"input": "Where is it?", "output": "", "expected_output": "In Rome."},
]


async def said(evaluator):
    found = await evaluator.evaluate_rows(ROWS)
    return {"name": evaluator.name, "inputs": evaluator.inputs, "outcomes": [asdict(one) for one in found]}


async def main():
    versions = [one.version for one in (judge.MODEL, judge.SAME, judge.OTHER)]
    print(json.dumps({"code": await said(judge.CODE), "model": await said(judge.MODEL), "versions": versions}))


asyncio.run(main())
