"""The query API: everything that clients read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from serve_apps import authentication, document, health, metrics, problems, reference
from serve_apps.api import (
    administration,
    annotation_queue_items,
    annotation_queues,
    blob_storage,
    comments,
    dashboard_widgets,
    dashboards,
    dataset_items,
    dataset_runs,
    datasets,
    datasets_v1,
    evaluation_rules,
    evaluation_rules_v2,
    evaluation_runs,
    evaluators,
    evaluators_v2,
    experiment_comparisons,
    experiments,
    exports,
    feedback,
    gates,
    llm_connections,
    masking_rules,
    media,
    models,
    observations,
    observations_v2,
    organization_projects,
    organizations,
    project_metrics,
    projects,
    prompt_experiments,
    prompts,
    recosts,
    scim,
    score_analytics,
    score_configs,
    scores,
    scores_v3,
    selections,
    sessions,
    traces,
)
from serve_apps.api import dependencies as api_dependencies
from serve_apps.api.dependencies import QueryDependencies
from serve_apps.companions import accompanied
from serve_apps.mcp import endpoint as mcp

ROUTERS = (
    health.router,
    projects.router,
    organizations.router,
    organization_projects.router,
    administration.router,
    administration.server_router,
    scim.router,
    llm_connections.router,
    models.router,
    masking_rules.router,
    media.router,
    prompts.router,
    recosts.router,
    dataset_items.router,
    datasets.router,
    dataset_runs.router,
    # Its datasets' names take what the routes of runs leave.
    datasets_v1.router,
    experiments.router,
    exports.router,
    evaluators.router,
    evaluators.model_router,
    evaluation_rules.router,
    evaluators_v2.router,
    evaluation_rules_v2.router,
    experiment_comparisons.router,
    gates.router,
    prompt_experiments.router,
    blob_storage.router,
    feedback.router,
    traces.router,
    score_analytics.router,
    score_configs.router,
    annotation_queues.router,
    annotation_queue_items.router,
    comments.router,
    scores_v3.router,
    scores.router,
    sessions.router,
    project_metrics.router,
    dashboards.router,
    dashboard_widgets.router,
    selections.router,
    evaluation_runs.router,
    observations_v2.router,
    observations.router,
    mcp.router,
)


def query_application(dependencies: QueryDependencies) -> FastAPI:
    """The routes of the contract below `/api/public`, which is where it is mounted."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        async with accompanied(dependencies.companions):
            yield
        await dependencies.clickhouse.close()

    app = FastAPI(title="Heliograph", version=dependencies.version, lifespan=lifespan, docs_url=None, redoc_url=None)
    for router in ROUTERS:
        app.include_router(router)
    if dependencies.scrape is not None:
        metrics.install(app, dependencies.scrape)
    authentication.install(app, dependencies.keys, dependencies.limits, admin_key=dependencies.administration.admin_key)
    api_dependencies.install(app, dependencies)
    mcp.install(app)
    document.install(app)
    reference.install(app)
    problems.install(app)
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
    return app
