"""The client for asyncio. Its twin is `harken.client.sync`."""

# ruff: noqa: ASYNC109  # the timeouts are gRPC's deadlines, which the server learns of

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import PurePath
from types import TracebackType
from typing import Any, Self, TypeVar, cast
from uuid import UUID

import grpc
import grpc.aio

from harken.client import rpc
from harken.client.action import Action, JobOutcome
from harken.client.aio_media import AsyncMedia
from harken.client.async_collections import AsyncCollections
from harken.client.async_exports import AsyncExports
from harken.client.async_handle import AsyncBatchHandle, AsyncJobHandle
from harken.client.async_owners import AsyncOwners
from harken.client.async_sounds import AsyncSounds
from harken.client.batch import Batch
from harken.client.batch_request import Item
from harken.client.channel import DEFAULT_TIMEOUT_S, options_for, target_from
from harken.client.credentials import StrPath, security
from harken.client.deadline import Deadline
from harken.client.enums import JobState
from harken.client.errors import (
    ClientClosed,
    HarkenError,
    LimitExceeded,
    NotFound,
    OutsideRoots,
)
from harken.client.folder import Portions
from harken.client.follow import Follow, OnLost
from harken.client.job import Job, Source
from harken.client.options import Options
from harken.client.reconnect import Patience, Reconnect, pause_before_another
from harken.client.requests import BatchRef, Features, JobKinds, JobRef, Kinds, Length, PathOrSource
from harken.client.retry_request import Retries, dismissals, retry_filter
from harken.client.rpc import Rpc, Stubs
from harken.client.sending import OnProgress, may_be_sent
from harken.client.status import own_errors
from harken.client.update import BatchSnapshot, BatchUpdate, JobUpdate, Update
from harken.client.upload import UploadWhen
from harken.client.worker import Queue, Worker

T = TypeVar("T")

_EOF: Any = grpc.aio.EOF  # pyright: ignore[reportAttributeAccessIssue]  # the stubs lack it


class AsyncClient:
    """A connection to a harken server, for one event loop.

        async with AsyncClient() as client:
            job = await client.submit("/music/song.flac")
            async for update in client.watch(job):
                print(update)
            print((await job.result()).rhythm)

    The arguments are those of `harken.client.Client`; the connection is made with the first call,
    on the loop that makes it. A watch that is left before its end is closed by `aclose()`, or by
    the loop a moment later.
    """

    def __init__(
        self,
        target: str | None = None,
        *,
        timeout: float = DEFAULT_TIMEOUT_S,
        reconnect: Reconnect | None = None,
        key: str | None = None,
        ca: StrPath | None = None,
        cert: StrPath | None = None,
        insecure: bool = False,
        credentials: grpc.ChannelCredentials | None = None,
        channel: grpc.aio.Channel | None = None,
    ) -> None:
        self.target = target_from(target)
        self.timeout = timeout
        self.reconnect = reconnect or Reconnect()
        self._credentials, self._metadata = security(
            self.target,
            key=key,
            ca=ca,
            cert=cert,
            insecure=insecure,
            credentials=credentials,
            own_channel=channel is None,
        )
        self._closed = False
        self._own_channel = channel is None
        self._channel = channel
        self.collections = AsyncCollections(self, self._call)
        self.exports = AsyncExports(self, self._call)
        self.owners = AsyncOwners(self, self._call)
        self.sounds = AsyncSounds(self, self._call)
        self.media = AsyncMedia(lambda: self._stubs, self._call, self._own_errors, self.reconnect)
        """Files to the server, and files that jobs made from it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connection; jobs go on."""
        self._closed = True
        if self._own_channel and self._channel is not None:
            await self._channel.close()

    async def submit(
        self,
        source: PathOrSource,
        *,
        features: Features | None = None,
        priority: int | None = None,
        labels: Mapping[str, str] | None = None,
        schedule_timeout: Length | None = None,
        request_id: str | UUID | None = None,
        run_timeout: Length | None = None,
        skip_cache: bool = False,
        options: Options | None = None,
        upload: UploadWhen = "auto",
        on_upload: OnProgress | None = None,
        timeout: float | None = None,
    ) -> AsyncJobHandle:
        """Submits one file; the job is durable when this returns.

        A text is a path as the server sees it, absolute or relative to a media root. A
        `pathlib.Path` is a file of this machine: its absolute path is sent, or the file itself,
        "auto"matically where the server cannot see it, "always" or "never", as `upload` says;
        `on_upload` is told how many bytes of how many were sent. A file that is unchanged since an
        earlier job with the same features has the result of that one at once, unless you say
        `skip_cache`. `features` None means the default set, and `options` say how those are computed
        that leave a choice; `priority` is 0 to 9, 9 the most urgent, 5 by
        default. A job fails as TIMEOUT when it has not started after `schedule_timeout` or an
        attempt takes longer than `run_timeout`, which can only shorten the server's limit; both are
        seconds or a timedelta. A `request_id` is made for each call unless you give one, to make
        your own repetitions safe.
        """
        call = rpc.submit(
            source,
            features=features,
            priority=priority,
            labels=labels,
            schedule_timeout=schedule_timeout,
            request_id=request_id,
            run_timeout=run_timeout,
            skip_cache=skip_cache,
            options=options,
        )
        if isinstance(source, PurePath) and upload == "always":
            job = await self.media.submit(source, call.request, on_upload)
            return AsyncJobHandle(self, job)
        try:
            job = await self._call(call, timeout)
        except (OutsideRoots, NotFound):
            if upload == "never" or not isinstance(source, PurePath) or not may_be_sent(source):
                raise
            job = await self.media.submit(source, call.request, on_upload)
        return AsyncJobHandle(self, job)

    async def submit_batch(
        self,
        items: Iterable[Item],
        *,
        features: Features | None = None,
        priority: int | None = None,
        labels: Mapping[str, str] | None = None,
        schedule_timeout: Length | None = None,
        request_id: str | UUID | None = None,
        run_timeout: Length | None = None,
        skip_cache: bool = False,
        options: Options | None = None,
        timeout: float | None = None,
    ) -> AsyncBatchHandle:
        """Submits up to 10,000 files at once.

        What was not accepted stands in the handle's `failed_items`.
        `labels` are put on each of the files, below those of a BatchItem; `run_timeout` holds for
        each of them.
        """
        call = rpc.submit_batch(
            items,
            features=features,
            priority=priority,
            labels=labels,
            schedule_timeout=schedule_timeout,
            request_id=request_id,
            run_timeout=run_timeout,
            skip_cache=skip_cache,
            options=options,
        )
        return AsyncBatchHandle(self, *await self._call(call, timeout))

    async def submit_folder(
        self,
        place: str,
        *,
        every_name: bool = False,
        features: Features | None = None,
        priority: int | None = None,
        labels: Mapping[str, str] | None = None,
        schedule_timeout: Length | None = None,
        run_timeout: Length | None = None,
        skip_cache: bool = False,
        options: Options | None = None,
        timeout: float | None = None,
    ) -> tuple[AsyncBatchHandle, ...]:
        """Submits what the server finds in a place, in batches; as `Client.submit_folder`."""

        async def submit(portion: list[Source]) -> AsyncBatchHandle:
            return await self.submit_batch(
                portion,
                features=features,
                priority=priority,
                labels=labels,
                schedule_timeout=schedule_timeout,
                run_timeout=run_timeout,
                skip_cache=skip_cache,
                options=options,
                timeout=timeout,
            )

        handles: list[AsyncBatchHandle] = []
        gathered = Portions()
        async for one in self.media.sources(place, every_name=every_name, timeout=timeout):
            if one.source is not None and (full := gathered.add(one.source)):
                handles.append(await submit(full))
        if rest := gathered.rest():
            handles.append(await submit(rest))
        return tuple(handles)

    async def get_job(self, job: JobRef, *, timeout: float | None = None) -> Job:
        """A job, with its result if there is one."""
        return await self._call(rpc.get_job(job), timeout)

    async def get_batch(self, batch: BatchRef, *, timeout: float | None = None) -> Batch:
        """A batch with its counts."""
        return await self._call(rpc.get_batch(batch), timeout)

    async def list_jobs(
        self,
        *,
        states: Iterable[JobState | str] | str | None = None,
        batch: BatchRef | None = None,
        labels: Mapping[str, str] | None = None,
        error_kinds: Kinds | None = None,
        ended_after: datetime | None = None,
        ended_before: datetime | None = None,
        dead_letters_only: bool = False,
        kinds: JobKinds | None = None,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> AsyncIterator[Job]:
        """Jobs, the newest first, without their results; pages are fetched when reached.

        `dead_letters_only` are those that failed, though not for their file's sake, and were
        neither retried nor dismissed.
        """
        token = ""
        while True:
            page = rpc.list_jobs(
                token,
                states=states,
                batch=batch,
                labels=labels,
                error_kinds=error_kinds,
                ended_after=ended_after,
                ended_before=ended_before,
                dead_letters_only=dead_letters_only,
                kinds=kinds,
                page_size=page_size,
            )
            jobs, token = await self._call(page, timeout)
            for job in jobs:
                yield job
            if not token:
                return

    async def cancel_job(self, job: JobRef, *, timeout: float | None = None) -> Job:
        """Asks for a job to be stopped; a job that has ended stays as it is."""
        return await self._call(rpc.cancel_job(job), timeout)

    async def cancel_batch(self, batch: BatchRef, *, timeout: float | None = None) -> Batch:
        """Asks for all jobs of a batch to be stopped."""
        return await self._call(rpc.cancel_batch(batch), timeout)

    async def retry_jobs(
        self,
        jobs: Iterable[JobRef],
        *,
        force: bool = False,
        dry_run: bool = False,
        request_id: str | UUID | None = None,
        timeout: float | None = None,
    ) -> tuple[JobOutcome, ...]:
        """Runs jobs that have ended once more, as new jobs; gives what became of each.

        What was retried before is not retried again, unless with `force`; then a `request_id` of
        your own makes your repetitions safe. `dry_run` tells what would be done. `timeout` is for
        each thousand jobs.
        """
        retries = Retries(force=force, dry_run=dry_run, request_id=request_id)
        outcomes: list[JobOutcome] = []
        for call in retries.named(jobs):
            outcomes += (await self._call(call, timeout))[0]
        return tuple(outcomes)

    async def retry_matching(
        self,
        *,
        states: Iterable[JobState | str] | str | None = None,
        batch: BatchRef | None = None,
        labels: Mapping[str, str] | None = None,
        error_kinds: Kinds | None = None,
        ended_after: datetime | None = None,
        ended_before: datetime | None = None,
        force: bool = False,
        dry_run: bool = False,
        request_id: str | UUID | None = None,
        timeout: float | None = None,
    ) -> tuple[JobOutcome, ...]:
        """Runs all jobs once more that failed and match, else as `retry_jobs`.

        `states` are FAILED, CANCELLED or both, by default FAILED; `error_kinds` by default all but
        INPUT, with which the same file fails again. Should it raise after some of many pages, call
        it again: what was retried is left out.
        """
        where = retry_filter(
            states=states,
            batch=batch,
            labels=labels,
            error_kinds=error_kinds,
            ended_after=ended_after,
            ended_before=ended_before,
        )
        retries = Retries(force=force, dry_run=dry_run, request_id=request_id)
        outcomes: list[JobOutcome] = []
        token = ""
        while True:
            page, token = await self._call(retries.found(where, token), timeout)
            outcomes += page
            if not token:
                return tuple(outcomes)

    async def dismiss_jobs(
        self, jobs: Iterable[JobRef], *, timeout: float | None = None
    ) -> tuple[JobOutcome, ...]:
        """Takes failed jobs off the list of dead letters; gives what became of each."""
        outcomes: list[JobOutcome] = []
        for call in dismissals(jobs):
            outcomes += (await self._call(call, timeout))[0]
        return tuple(outcomes)

    async def list_actions(
        self, *, page_size: int = 0, timeout: float | None = None
    ) -> AsyncIterator[Action]:
        """What was done to jobs, the newest first; pages are fetched when reached."""
        token = ""
        while True:
            page = rpc.list_actions(token, page_size=page_size)
            actions, token = await self._call(page, timeout)
            for action in actions:
                yield action
            if not token:
                return

    async def get_action(self, action_id: str, *, timeout: float | None = None) -> Action:
        """An action, with what became of each job."""
        return await self._call(rpc.get_action(action_id), timeout)

    async def inspect_workers(
        self, *, deep: bool = False, timeout: float | None = None
    ) -> tuple[Worker, ...]:
        """The workers that have beaten within the last day, by name.

        `deep` asks each of them through Celery too: see their `probe`, which is None without a
        broker.
        """
        return await self._call(rpc.inspect_workers(deep=deep), timeout)

    async def list_queues(self, *, timeout: float | None = None) -> tuple[Queue, ...]:
        """The queues, by name."""
        return await self._call(rpc.list_queues(), timeout)

    def watch(
        self,
        job: JobRef,
        *,
        resume_token: str | None = None,
        heartbeat_interval: float | None = None,
        timeout: float | None = None,
        on_lost: OnLost | None = None,
    ) -> AsyncGenerator[JobUpdate]:
        """What happens to a job until it has ended.

        A snapshot comes first, then each change of state, once and in order, and progress.
        Goes on by itself when the server goes away and comes back; `on_lost` is called each time an
        attempt fails, and ServerUnavailable is raised after `reconnect.give_up_after` seconds
        without a server. `timeout` bounds the whole.
        """
        follow = Follow.job(job, resume_token, heartbeat_interval, self.reconnect, on_lost)
        return cast(AsyncGenerator[JobUpdate], self._follow(follow, timeout))

    def watch_batch(
        self,
        batch: BatchRef,
        *,
        resume_token: str | None = None,
        heartbeat_interval: float | None = None,
        timeout: float | None = None,
        on_lost: OnLost | None = None,
    ) -> AsyncGenerator[BatchSnapshot]:
        """The counts of a batch, each time they have changed; else as `watch`."""
        follow = Follow.batch(batch, resume_token, heartbeat_interval, self.reconnect, on_lost)
        return cast(AsyncGenerator[BatchSnapshot], self._follow(follow, timeout))

    def watch_items(
        self,
        batch: BatchRef,
        *,
        resume_token: str | None = None,
        heartbeat_interval: float | None = None,
        timeout: float | None = None,
        on_lost: OnLost | None = None,
    ) -> AsyncGenerator[BatchUpdate]:
        """What happens to a batch and to each of its jobs until all have ended; else as `watch`.

        The counts come first, as `watch_batch` gives them; what happened before is in `list_jobs`.
        """
        follow = Follow.items(batch, resume_token, heartbeat_interval, self.reconnect, on_lost)
        return cast(AsyncGenerator[BatchUpdate], self._follow(follow, timeout))

    async def wait(self, job: JobRef, *, timeout: float | None = None) -> Job:
        """Waits until a job has ended, in whatever way, and gives it with its result.

        Raises DeadlineExceeded after `timeout` seconds; the job goes on.
        """
        async for _ in self.watch(job, timeout=timeout):
            pass
        return await self._patiently(rpc.get_job(job))

    async def wait_batch(self, batch: BatchRef, *, timeout: float | None = None) -> Batch:
        """Waits until all jobs of a batch have ended; else as `wait`."""
        async for _ in self.watch_batch(batch, timeout=timeout):
            pass
        return await self._patiently(rpc.get_batch(batch))

    async def _call(self, call: Rpc[T], timeout: float | None) -> T:
        deadline = Deadline(self.timeout if timeout is None else timeout)
        while True:
            try:
                with self._own_errors():
                    method = call.method(self._stubs)
                    response = await method(call.request, timeout=deadline.left())
            except LimitExceeded as error:
                await asyncio.sleep(pause_before_another(error, deadline))
            else:
                return call.value(response)

    async def _follow(self, follow: Follow, timeout: float | None) -> AsyncGenerator[Update]:
        deadline = Deadline(timeout)
        while not follow.ended:
            with self._own_errors():
                stream: Any = self._stubs.jobs.StreamProgress(
                    follow.request(), timeout=deadline.left()
                )
            try:
                while (message := await self._next(stream)) is not None:
                    for update in follow.take(message):
                        yield update
                    if follow.ended:
                        break
                return
            except HarkenError as error:
                pause = follow.lost(error, time.monotonic())
            finally:
                stream.cancel()
            await asyncio.sleep(deadline.within(pause))

    async def _next(self, stream: Any) -> Any | None:
        """The stream's next message; None when the server has ended it with OK."""
        with self._own_errors():
            message = await stream.read()
        return None if message is _EOF else message

    async def _patiently(self, call: Rpc[T]) -> T:
        """The call's answer, asked for again while the server is away, as a watch would."""
        patience = Patience(self.reconnect)
        while True:
            try:
                return await self._call(call, None)
            except HarkenError as error:
                await asyncio.sleep(patience.lost(error, time.monotonic()))

    @cached_property
    def _stubs(self) -> Stubs:
        if self._channel is None:
            options = options_for(self.target)
            if self._credentials is not None:
                self._channel = grpc.aio.secure_channel(self.target, self._credentials, options)
            else:
                self._channel = grpc.aio.insecure_channel(self.target, options)
        return Stubs(self._channel, self._metadata)

    @contextmanager
    def _own_errors(self) -> Generator[None]:
        try:
            with own_errors(self.target, lambda: self._closed):
                yield
        except asyncio.CancelledError:
            # gRPC cancels the calls of a channel that is closed as if their task had been
            # cancelled.
            task = asyncio.current_task()
            if self._closed and task is not None and not task.cancelling():
                raise ClientClosed("This client was closed during the call.") from None
            raise
