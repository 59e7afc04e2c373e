"""The peer with async handlers."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from benchmarks.service.peer_model import JobView, NewJob, check
from benchmarks.service.peer_table import Job, options, prepare
from benchmarks.service.peer_tasks import analyze

_url, _options = options(asynchronous=True)
engine = create_async_engine(_url, **_options)
prepare(engine.sync_engine)
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


async def session() -> AsyncIterator[AsyncSession]:
    """A session for one request."""
    async with sessions() as opened:
        yield opened


@app.post("/jobs", status_code=201)
async def submit(new: NewJob, session: Annotated[AsyncSession, Depends(session)]) -> JobView:
    """Accepts one file."""
    check(new)
    job = Job(**new.model_dump())
    session.add(job)
    await session.commit()
    # It blocks the loop for less time than a hop to a thread and back would take.
    analyze.delay(job.id)
    return JobView.model_validate(job)
