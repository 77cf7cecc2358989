"""The connection to PostgreSQL: sessions that commit at the edge, and its failures as errors of the domain."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import psycopg
from sqlalchemy import Index, exc, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import QueuePool
from sqlalchemy.sql.schema import ColumnCollectionConstraint

from heliograph.domain.errors import InvalidRequest, Unavailable
from storage.postgres.acting import Acting
from storage.postgres.tables.catalogue import METADATA

CONNECT_TIMEOUT_SECONDS = 3
_POOL_SIZE, _POOL_OVERFLOW = 5, 5
RETRY_AFTER_SECONDS = 5
# No statement of ours is long; one that hangs on a stopped server must not hold its caller.
TRANSACTION_TIMEOUT_SECONDS = 15

_AWAY = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError, psycopg.OperationalError, OSError, TimeoutError)


class Database:
    """A pool of connections to one database; it belongs to the event loop that first uses it."""

    def __init__(self, dsn: str) -> None:
        self._engine = create_async_engine(
            dsn,
            pool_size=_POOL_SIZE,
            max_overflow=_POOL_OVERFLOW,
            pool_timeout=CONNECT_TIMEOUT_SECONDS,
            # A restarted server costs one round trip here, and no failed request.
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS},
        )
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False, sync_session_class=Acting)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a session that commits when the block ends, or rolls back when it raises.

        Raises:
            Unavailable: the server is away, too busy or does not answer in time.
            InvalidRequest: a value is taken already, or names something that does not exist.
        """
        with _named_failures():
            async with asyncio.timeout(TRANSACTION_TIMEOUT_SECONDS), self._sessions.begin() as session:
                yield session

    @asynccontextmanager
    async def lock(self, name: str) -> AsyncIterator["Lock | None"]:
        """Hold a lock among all processes for as long as the block takes, or yield None when another holds it.

        It belongs to a connection, so that it ends with its holder, kill -9 included.
        """
        key = func.hashtextextended(name, 0)
        with _named_failures():
            connection = await self._engine.connect()
        try:
            with _named_failures():
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                is_ours = await connection.scalar(select(func.pg_try_advisory_lock(key)))
            yield Lock(connection) if is_ours else None
        finally:
            # The server notices a closed connection later: whoever comes next finds the lock free at once.
            with contextlib.suppress(*_AWAY, exc.DBAPIError):
                await connection.scalar(select(func.pg_advisory_unlock(key)))
            # Not given back to the pool: the next user of the connection would hold the lock.
            await connection.invalidate()
            await connection.close()

    async def ping(self) -> None:
        """Return when the server answers; raises Unavailable otherwise."""
        async with self.transaction() as session:
            await session.execute(text("SELECT 1"))

    @property
    def connections(self) -> tuple[int, int]:
        """How many connections are in use, and how many may be."""
        pool = self._engine.pool
        return (pool.checkedout() if isinstance(pool, QueuePool) else 0), _POOL_SIZE + _POOL_OVERFLOW

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[Database]:
    """Open a database for as long as the block takes."""
    database = Database(dsn)
    try:
        yield database
    finally:
        await database.close()


class Lock:
    """A lock that is held; see `Database.lock`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def confirm(self) -> None:
        """Raise Unavailable when the connection, and with it the lock, was lost."""
        with _named_failures():
            async with asyncio.timeout(TRANSACTION_TIMEOUT_SECONDS):
                await self._connection.execute(select(1))


@contextmanager
def _named_failures() -> Iterator[None]:
    try:
        yield
    except exc.IntegrityError as error:
        raise _refusal(error) from error
    except _AWAY as error:
        raise Unavailable("PostgreSQL", RETRY_AFTER_SECONDS) from error
    except exc.DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable("PostgreSQL", RETRY_AFTER_SECONDS) from error
        raise


def _refusal(error: exc.IntegrityError) -> Exception:
    """Name the field of the violated constraint; what no caller can cause stays as it is."""
    match error.orig:
        case psycopg.errors.UniqueViolation(diag=diagnostic):
            return InvalidRequest(_field(diagnostic), "is taken already")
        case psycopg.errors.ForeignKeyViolation(diag=diagnostic):
            return InvalidRequest(_field(diagnostic), "names something that does not exist, or that is still in use")
        case _:
            return error


def _field(diagnostic: psycopg.errors.Diagnostic) -> str:
    """Name the column that a constraint is about: its last one, since those before it say within what."""
    table = METADATA.tables.get(diagnostic.table_name or "")
    for rule in (*table.constraints, *table.indexes) if table is not None else ():
        if isinstance(rule, ColumnCollectionConstraint | Index) and rule.name == diagnostic.constraint_name:
            return str(rule.columns.values()[-1].name)
    return diagnostic.constraint_name or "value"
