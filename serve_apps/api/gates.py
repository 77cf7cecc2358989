"""Gates: policies that experiments are held to."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends

from evals.analytics.gates import verdict
from heliograph.domain.datasets import ItemFilter, ItemStatus
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.gates import Gate, GateCheck, GateVerdict
from serve_apps.api.answers import Answer, answer, wire_answer, wire_list_answer
from serve_apps.api.datasets import ProjectDatasets, ProjectItems
from serve_apps.api.dependencies import Dependencies
from serve_apps.api.experiment_comparisons import ProjectExperiments
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.lists import ListOf, Told
from serve_apps.authentication import ProjectPrincipal
from storage.postgres.gates import Gates

router = APIRouter(prefix="/gates", tags=["gates"])


async def _gates(dependencies: Dependencies, principal: ProjectPrincipal) -> Gates:
    return Gates(dependencies.database, principal.project_id)


ProjectGates = Annotated[Gates, Depends(_gates)]


@router.get("")
async def list_gates(gates: ProjectGates) -> Answer[ListOf[Gate]]:
    """Every gate of the project, by name."""
    return wire_list_answer(await gates.all())


@router.get("/{name}")
async def get_gate(name: Text, gates: ProjectGates) -> Answer[Gate]:
    """One gate."""
    return wire_answer(await gates.get(name))


@router.put("/{name}")
async def put_gate(name: Text, gate: Gate, gates: ProjectGates, *, datasets: ProjectDatasets) -> Answer[Gate]:
    """Keep a gate in place of the one of that name; its dataset has to be there."""
    if gate.name != name:
        raise InvalidRequest("name", f"is {gate.name!r} in the body and {name!r} in the path")
    await datasets.get(gate.dataset_name)
    await gates.put(gate)
    return wire_answer(gate)


@router.delete("/{name}")
async def delete_gate(name: Text, gates: ProjectGates) -> Answer[Told]:
    """Remove a gate."""
    await gates.remove(name)
    return answer({"message": "Gate successfully deleted"})


@router.post("/{name}/check")
async def check_gate(
    name: Text, asked: GateCheck, gates: ProjectGates, *, items: ProjectItems, experiments: ProjectExperiments
) -> Answer[GateVerdict]:
    """Whether an experiment passes, and why not."""
    gate = await gates.get(name)
    ran = await experiments.named(gate.dataset_name, asked.experiment)
    named = asked.baseline or gate.baseline
    baseline = await experiments.named(gate.dataset_name, named) if named else None
    wanted = await items.ids(
        ItemFilter(dataset_name=gate.dataset_name, status=ItemStatus.ACTIVE, version=gate.dataset_version)
    )
    return wire_answer(await asyncio.to_thread(verdict, gate, ran, wanted, baseline=baseline))
