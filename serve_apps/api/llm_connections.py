"""Connections to providers of models; their secrets go in, and never come out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from evals.providers.connections import check_address
from serve_apps.api.answers import Answer, answer, page_answer
from serve_apps.api.dependencies import AdministratedProject, Dependencies
from serve_apps.api.parameters import Paged, Text
from serve_apps.api.shapes.lists import PageOf, Told
from serve_apps.api.shapes.llm_connections import LlmConnectionBody, LlmConnectionShape, llm_connection_shape
from storage.postgres.llm_connections import LlmConnections

router = APIRouter(prefix="/llm-connections", tags=["llm-connections"])


async def _connections(dependencies: Dependencies, principal: AdministratedProject) -> LlmConnections:
    return LlmConnections(dependencies.database, principal.project_id, dependencies.administration.seal)


Connections = Annotated[LlmConnections, Depends(_connections)]


@router.get("")
async def list_llm_connections(
    asked: Annotated[Paged, Query()], connections: Connections
) -> Answer[PageOf[LlmConnectionShape]]:
    """One page of the project's connections, oldest first."""
    found, total = await connections.page(asked.asked_page)
    return page_answer(list(map(llm_connection_shape, found)), asked.asked_page, total)


@router.put("", responses={201: {"model": LlmConnectionShape, "description": "Created, where the provider had none."}})
async def put_llm_connection(
    body: LlmConnectionBody, connections: Connections, dependencies: Dependencies
) -> Answer[LlmConnectionShape]:
    """Keep a connection, in place of an earlier one of the same provider: 201 when there was none, else 200."""
    await check_address(body.base_url, dependencies.administration.outbound)
    kept, is_new = await connections.put(body.connection)
    return answer(llm_connection_shape(kept), 201 if is_new else 200)


@router.delete("/{connection_id}")
async def delete_llm_connection(connection_id: Text, connections: Connections) -> Answer[Told]:
    """Remove a connection; what calls with it fails from now on."""
    await connections.delete(connection_id)
    return answer({"message": "LLM connection successfully deleted"})
