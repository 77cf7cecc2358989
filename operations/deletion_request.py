"""Appends the tombstones of one request to delete; a process of its own, since it joins the Ray cluster."""

import asyncio
import getpass
import logging
import sys

import ray

from actors import directory
from heliograph import telemetry
from heliograph.domain.deletions import Deletion, SubjectType
from heliograph.domain.errors import HeliographError
from heliograph.domain.identifiers import ProjectId
from heliograph.settings import Settings
from operations.errors import StepFailed
from storage.postgres.connection import Database


async def request(settings: Settings, project_id: ProjectId, subject_type: SubjectType, *, subject: str) -> Deletion:
    """Note the request and append its tombstones; raises Unavailable when a lane cannot be reached."""
    database = Database(settings.postgres_dsn)
    try:
        requests = directory.deletion_requests(settings, database)
        by = f"operator {getpass.getuser()}"
        return await requests.accept(project_id, subject_type, [subject], requested_by=by)
    finally:
        await database.close()


def _join(settings: Settings) -> None:
    try:
        ray.init(address=settings.ray_address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError) as error:
        raise StepFailed("Ray", f"no cluster at {settings.ray_address}: {error}") from None


def main() -> None:
    """Project, subject type and subject from the arguments; prints the deletion's id."""
    settings = Settings()
    telemetry.configure_logs("WARNING")
    project_id, subject_type, subject = sys.argv[1:]
    try:
        _join(settings)
        asked = asyncio.run(request(settings, ProjectId(project_id), SubjectType(subject_type), subject=subject))
    except HeliographError as error:
        sys.exit(str(error))
    print(asked.id)
    ray.shutdown()


if __name__ == "__main__":
    main()
