"""The peer with sync handlers, which FastAPI runs in threads."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.service.peer_model import JobView, NewJob, check
from benchmarks.service.peer_table import Job, options, prepare
from benchmarks.service.peer_tasks import analyze

_url, _options = options(asynchronous=False)
engine = create_engine(_url, **_options)
prepare(engine)
sessions = sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


def session() -> Iterator[Session]:
    """A session for one request."""
    with sessions() as opened:
        yield opened


@app.post("/jobs", status_code=201)
def submit(new: NewJob, session: Annotated[Session, Depends(session)]) -> JobView:
    """Accepts one file."""
    check(new)
    job = Job(**new.model_dump())
    session.add(job)
    session.commit()
    analyze.delay(job.id)
    return JobView.model_validate(job)
