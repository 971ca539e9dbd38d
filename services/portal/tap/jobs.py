"""Archive queries as jobs: waiting, running, done; kept for a while, and whose they are.

Kept in this process: a restart of the portal forgets them, and clients are told 404.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import pyarrow as pa
import structlog

from services.portal.identity import Caller
from services.portal.problems import ProblemError
from services.portal.settings import PortalSettings
from services.portal.tap.adql import as_archive_sql
from services.portal.tap.tables import answer_about_schema, is_about_schema
from shared.archive.query import Question
from shared.archive.query_process import run_query_apart
from shared.archive.readers import Reader, private_surveys
from shared.archive.relations import RELATION_NAMES
from shared.archive.snapshots import archive_root
from shared.errors import TocsinError
from shared.filters.guard import Limits, judge_query
from shared.filters.refusal import FilterRefusedError

log = structlog.get_logger()
_MOST_KEPT = 500
_AT_ONCE = 2
MOST_ROWS = 1_000_000


class Phase(StrEnum):
    """UWS 1.1, section 2.2.3."""

    PENDING = "PENDING"
    QUEUED = "QUEUED"
    EXECUTING = "EXECUTING"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"
    ABORTED = "ABORTED"


ENDED = frozenset({Phase.COMPLETED, Phase.ERROR, Phase.ABORTED})


@dataclass
class Job:
    """One query."""

    id: str
    owner: str
    """Name of the caller; empty for one without a token, who has only the job's unguessable id."""
    parameters: Mapping[str, str]
    most_rows: int
    reader: Reader
    created_s: float
    phase: Phase = Phase.PENDING
    started_s: float | None = None
    ended_s: float | None = None
    error: str = ""
    rows: int = 0
    is_cut: bool = False
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def sql(self) -> str:
        """The query as the archive understands it."""
        return as_archive_sql(self.parameters.get("QUERY", ""))


class Jobs:
    """All of them, and who may reach which."""

    def __init__(self, settings: PortalSettings) -> None:
        self._settings = settings
        self._jobs: dict[str, Job] = {}
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._folder = settings.state_dir / "portal" / "jobs"

    def create(self, caller: Caller, parameters: Mapping[str, str], most_rows: int) -> Job:
        """Make a job; it does not run yet.

        Raises
        ------
        ProblemError
            429, if the caller has too many that have not ended.
        """
        self._forget_old()
        mine = [j for j in self._jobs.values() if self._is_of(j, caller) and j.phase not in ENDED]
        if len(mine) >= self._settings.portal_jobs_per_caller:
            raise ProblemError(
                429, f"{len(mine)} of your queries have not ended; wait, or delete one",
                headers={"Retry-After": "10"},
            )  # fmt: skip
        reader = Reader(caller.name or None, caller.groups, caller.is_operator)
        job = Job(
            secrets.token_urlsafe(16), caller.name or f"@{caller.key}", dict(parameters),
            min(most_rows, MOST_ROWS), reader, time.time(),
        )  # fmt: skip
        self._jobs[job.id] = job
        return job

    @staticmethod
    def _is_of(job: Job, caller: Caller) -> bool:
        return job.owner == (caller.name or f"@{caller.key}")

    def of(self, caller: Caller) -> list[Job]:
        """The jobs of a caller with a token; those without have no list."""
        return (
            []
            if caller.is_anonymous
            else [j for j in self._jobs.values() if j.owner == caller.name]
        )

    def get(self, job_id: str, caller: Caller) -> Job | None:
        """A job, if it is the caller's."""
        job = self._jobs.get(job_id)
        if job is None or (not self._is_of(job, caller) and not caller.is_operator):
            return None
        return job

    def run(self, job: Job) -> None:
        """Let a job that is pending run when it is its turn."""
        if job.phase is Phase.PENDING:
            job.phase = Phase.QUEUED
            job.task = asyncio.create_task(self._carry_out(job))

    async def finished(self, job: Job) -> Job:
        """Run a job and wait for its end."""
        self.run(job)
        if job.task is not None:
            await asyncio.wait([job.task])
        return job

    async def _carry_out(self, job: Job) -> None:
        try:
            async with self._turn:
                job.phase, job.started_s = Phase.EXECUTING, time.time()
                await self._answer(job)
            job.phase = Phase.COMPLETED
        except FilterRefusedError as error:
            job.phase, job.error = Phase.ERROR, f"line {error.line}, column {error.column}: {error}"
        except TocsinError as error:
            job.phase, job.error = Phase.ERROR, str(error)
        except asyncio.CancelledError:
            job.phase = Phase.ABORTED
            raise
        except Exception:  # a bug of ours must not leave the job running for ever
            log.error("portal_job_bug", exc_info=True)
            job.phase, job.error = Phase.ERROR, "a bug in the portal; it has been logged"
        finally:
            job.ended_s = time.time()

    async def _answer(self, job: Job) -> None:
        output = self.result_path(job)
        await asyncio.to_thread(output.parent.mkdir, parents=True, exist_ok=True)
        if is_about_schema(job.sql):
            table = await asyncio.to_thread(answer_about_schema, job.sql)
            job.is_cut = table.num_rows > job.most_rows
            await asyncio.to_thread(_write, table.slice(0, job.most_rows), output)
            job.rows = min(table.num_rows, job.most_rows)
            return
        # What can be refused by reading it need not start a process.
        await asyncio.to_thread(judge_query, job.sql, RELATION_NAMES)
        private = private_surveys(self._settings.private_surveys)
        answer = await run_query_apart(
            archive_root(self._settings.state_dir),
            Question(job.sql, job.reader, tuple(private.items())),
            output,
            Limits(self._settings.portal_job_memory_mib, self._settings.portal_job_seconds, 1),
            most_rows=job.most_rows,
        )
        job.rows, job.is_cut = answer.rows, answer.is_cut

    def result_path(self, job: Job) -> Path:
        """Where the answer is: an Arrow IPC file."""
        return self._folder / f"{job.id}.arrow"

    def read(self, job: Job) -> pa.Table:
        """The answer of a job that is completed; in a thread, please."""
        with pa.memory_map(str(self.result_path(job))) as source:
            return pa.ipc.open_file(source).read_all()

    def abort(self, job: Job) -> None:
        """Stop a job that has not ended."""
        if job.task is not None and not job.task.done():
            job.task.cancel()
        if job.phase not in ENDED:
            job.phase, job.ended_s = Phase.ABORTED, time.time()

    def delete(self, job: Job) -> None:
        """Stop a job and forget it."""
        self.abort(job)
        self._jobs.pop(job.id, None)
        self.result_path(job).unlink(missing_ok=True)

    def destroyed_s(self, job: Job) -> float:
        """When a job will be forgotten, Unix seconds."""
        return job.created_s + self._settings.portal_job_keep_hours * 3600.0

    def _forget_old(self) -> None:
        now_s = time.time()
        for job in list(self._jobs.values()):
            if self.destroyed_s(job) < now_s:
                self.delete(job)
        ended = [job for job in self._jobs.values() if job.phase in ENDED]
        for job in ended[: max(0, len(self._jobs) - _MOST_KEPT)]:
            self.delete(job)

    async def close(self) -> None:
        """Stop all jobs and forget their answers."""
        running = [job.task for job in self._jobs.values() if job.task is not None]
        for job in list(self._jobs.values()):
            self.abort(job)
        await asyncio.gather(*running, return_exceptions=True)
        with contextlib.suppress(OSError):
            await asyncio.to_thread(shutil.rmtree, self._folder)


def _write(table: pa.Table, path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as out:
        out.write_table(table)
