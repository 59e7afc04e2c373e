"""The client for programs without an event loop. Its twin is `harken.client.aio`."""

import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import PurePath
from types import TracebackType
from typing import Any, Self, TypeVar, cast
from uuid import UUID

import grpc

from harken.client import rpc
from harken.client.action import Action, JobOutcome
from harken.client.batch import Batch
from harken.client.batch_request import Item
from harken.client.channel import DEFAULT_TIMEOUT_S, options_for, target_from
from harken.client.credentials import StrPath, security
from harken.client.deadline import Deadline
from harken.client.enums import JobState
from harken.client.errors import HarkenError, LimitExceeded, NotFound, OutsideRoots
from harken.client.exports import Exports
from harken.client.folder import portions
from harken.client.follow import Follow, OnLost
from harken.client.handle import BatchHandle, JobHandle
from harken.client.job import Job
from harken.client.media import Media
from harken.client.options import Options
from harken.client.owners import Owners
from harken.client.reconnect import Patience, Reconnect, pause_before_another
from harken.client.requests import BatchRef, Features, JobKinds, JobRef, Kinds, Length, PathOrSource
from harken.client.retry_request import Retries, dismissals, retry_filter
from harken.client.rpc import Rpc, Stubs
from harken.client.sending import OnProgress, may_be_sent
from harken.client.sounds import Sounds
from harken.client.status import own_errors
from harken.client.sync_collections import Collections
from harken.client.update import BatchSnapshot, BatchUpdate, JobUpdate, Update
from harken.client.upload import UploadWhen
from harken.client.worker import Queue, Worker
from harken.v1.job_service_pb2 import StreamProgressRequest

T = TypeVar("T")


class Client:
    """A connection to a harken server; safe to share between threads, not across a fork.

        with Client() as client:
            job = client.submit("/music/song.flac")
            for update in client.watch(job):
                print(update)
            print(job.result().rhythm)

    `target` is host:port or unix:/path; without it HARKEN_SERVER, else 127.0.0.1:50051. `timeout`
    is the default time in seconds for one call, `reconnect` what a watch or a wait does when it
    loses the server. `key` is shown with each call, else HARKEN_KEY or what is in HARKEN_KEY_FILE.
    With `ca` the connection is TLS: a PEM file with the server's authority, or "public" for those
    that gRPC brings, else HARKEN_CA; `cert` is a PEM file with this client's own certificate and
    its key, else HARKEN_CERT. A key is sent to another machine over TLS alone, unless `insecure`.
    `credentials` are gRPC's own, in place of `ca` and `cert`; with `channel` the connection is one
    of your own making, which you close, and no key but a given one is sent. Errors:
    `harken.client.errors`.
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
        channel: grpc.Channel | None = None,
    ) -> None:
        self.target = target_from(target)
        self.timeout = timeout
        self.reconnect = reconnect or Reconnect()
        self._closed = False
        self._own_channel = channel is None
        credentials, metadata = security(
            self.target,
            key=key,
            ca=ca,
            cert=cert,
            insecure=insecure,
            credentials=credentials,
            own_channel=channel is None,
        )
        options = options_for(self.target)
        if channel is not None:
            self._channel = channel
        elif credentials is not None:
            self._channel = grpc.secure_channel(self.target, credentials, options)
        else:
            self._channel = grpc.insecure_channel(self.target, options)
        self._stubs = Stubs(self._channel, metadata)
        self.collections = Collections(self, self._call)
        self.exports = Exports(self, self._call)
        self.owners = Owners(self, self._call)
        self.sounds = Sounds(self, self._call)
        self.media = Media(self._stubs, self._call, self._own_errors, self.reconnect)
        """Files to the server, and files that jobs made from it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection; jobs go on."""
        self._closed = True
        if self._own_channel:
            self._channel.close()

    def submit(
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
    ) -> JobHandle:
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
            job = self.media.submit(source, call.request, on_upload)
            return JobHandle(self, job)
        try:
            job = self._call(call, timeout)
        except (OutsideRoots, NotFound):
            if upload == "never" or not isinstance(source, PurePath) or not may_be_sent(source):
                raise
            job = self.media.submit(source, call.request, on_upload)
        return JobHandle(self, job)

    def submit_batch(
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
    ) -> BatchHandle:
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
        return BatchHandle(self, *self._call(call, timeout))

    def submit_folder(
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
    ) -> tuple[BatchHandle, ...]:
        """Submits what the server finds in a place, in batches of up to 10,000 files.

        A `place` is a folder below a media root, a pattern such as "music/**/*.flac", or a prefix
        of a bucket, "s3://bucket/music/", as `media.sources` lists it; else as `submit_batch`. For
        a place that holds nothing there is no batch. `timeout` is for each call.
        """
        found = self.media.sources(place, every_name=every_name, timeout=timeout)
        return tuple(
            self.submit_batch(
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
            for portion in portions(found)
        )

    def get_job(self, job: JobRef, *, timeout: float | None = None) -> Job:
        """A job, with its result if there is one."""
        return self._call(rpc.get_job(job), timeout)

    def get_batch(self, batch: BatchRef, *, timeout: float | None = None) -> Batch:
        """A batch with its counts."""
        return self._call(rpc.get_batch(batch), timeout)

    def list_jobs(
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
    ) -> Iterator[Job]:
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
            jobs, token = self._call(page, timeout)
            yield from jobs
            if not token:
                return

    def cancel_job(self, job: JobRef, *, timeout: float | None = None) -> Job:
        """Asks for a job to be stopped; a job that has ended stays as it is."""
        return self._call(rpc.cancel_job(job), timeout)

    def cancel_batch(self, batch: BatchRef, *, timeout: float | None = None) -> Batch:
        """Asks for all jobs of a batch to be stopped."""
        return self._call(rpc.cancel_batch(batch), timeout)

    def retry_jobs(
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
            outcomes += (self._call(call, timeout))[0]
        return tuple(outcomes)

    def retry_matching(
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
            page, token = self._call(retries.found(where, token), timeout)
            outcomes += page
            if not token:
                return tuple(outcomes)

    def dismiss_jobs(
        self, jobs: Iterable[JobRef], *, timeout: float | None = None
    ) -> tuple[JobOutcome, ...]:
        """Takes failed jobs off the list of dead letters; gives what became of each."""
        outcomes: list[JobOutcome] = []
        for call in dismissals(jobs):
            outcomes += (self._call(call, timeout))[0]
        return tuple(outcomes)

    def list_actions(self, *, page_size: int = 0, timeout: float | None = None) -> Iterator[Action]:
        """What was done to jobs, the newest first; pages are fetched when reached."""
        token = ""
        while True:
            page = rpc.list_actions(token, page_size=page_size)
            actions, token = self._call(page, timeout)
            yield from actions
            if not token:
                return

    def get_action(self, action_id: str, *, timeout: float | None = None) -> Action:
        """An action, with what became of each job."""
        return self._call(rpc.get_action(action_id), timeout)

    def inspect_workers(
        self, *, deep: bool = False, timeout: float | None = None
    ) -> tuple[Worker, ...]:
        """The workers that have beaten within the last day, by name.

        `deep` asks each of them through Celery too: see their `probe`, which is None without a
        broker.
        """
        return self._call(rpc.inspect_workers(deep=deep), timeout)

    def list_queues(self, *, timeout: float | None = None) -> tuple[Queue, ...]:
        """The queues, by name."""
        return self._call(rpc.list_queues(), timeout)

    def watch(
        self,
        job: JobRef,
        *,
        resume_token: str | None = None,
        heartbeat_interval: float | None = None,
        timeout: float | None = None,
        on_lost: OnLost | None = None,
    ) -> Generator[JobUpdate]:
        """What happens to a job until it has ended.

        A snapshot comes first, then each change of state, once and in order, and progress.
        Goes on by itself when the server goes away and comes back; `on_lost` is called each time an
        attempt fails, and ServerUnavailable is raised after `reconnect.give_up_after` seconds
        without a server. `timeout` bounds the whole.
        """
        follow = Follow.job(job, resume_token, heartbeat_interval, self.reconnect, on_lost)
        return cast(Generator[JobUpdate], self._follow(follow, timeout))

    def watch_batch(
        self,
        batch: BatchRef,
        *,
        resume_token: str | None = None,
        heartbeat_interval: float | None = None,
        timeout: float | None = None,
        on_lost: OnLost | None = None,
    ) -> Generator[BatchSnapshot]:
        """The counts of a batch, each time they have changed; else as `watch`."""
        follow = Follow.batch(batch, resume_token, heartbeat_interval, self.reconnect, on_lost)
        return cast(Generator[BatchSnapshot], self._follow(follow, timeout))

    def watch_items(
        self,
        batch: BatchRef,
        *,
        resume_token: str | None = None,
        heartbeat_interval: float | None = None,
        timeout: float | None = None,
        on_lost: OnLost | None = None,
    ) -> Generator[BatchUpdate]:
        """What happens to a batch and to each of its jobs until all have ended; else as `watch`.

        The counts come first, as `watch_batch` gives them; what happened before is in `list_jobs`.
        """
        follow = Follow.items(batch, resume_token, heartbeat_interval, self.reconnect, on_lost)
        return cast(Generator[BatchUpdate], self._follow(follow, timeout))

    def wait(self, job: JobRef, *, timeout: float | None = None) -> Job:
        """Waits until a job has ended, in whatever way, and gives it with its result.

        Raises DeadlineExceeded after `timeout` seconds; the job goes on.
        """
        for _ in self.watch(job, timeout=timeout):
            pass
        return self._patiently(rpc.get_job(job))

    def wait_batch(self, batch: BatchRef, *, timeout: float | None = None) -> Batch:
        """Waits until all jobs of a batch have ended; else as `wait`."""
        for _ in self.watch_batch(batch, timeout=timeout):
            pass
        return self._patiently(rpc.get_batch(batch))

    def _call(self, call: Rpc[T], timeout: float | None) -> T:
        deadline = Deadline(self.timeout if timeout is None else timeout)
        while True:
            try:
                with self._own_errors():
                    method = call.method(self._stubs)
                    response = method(call.request, timeout=deadline.left())
            except LimitExceeded as error:
                time.sleep(pause_before_another(error, deadline))
            else:
                return call.value(response)

    def _follow(self, follow: Follow, timeout: float | None) -> Generator[Update]:
        deadline = Deadline(timeout)
        while not follow.ended:
            stream = self._open(follow.request(), deadline.left())
            try:
                while (message := self._next(stream)) is not None:
                    yield from follow.take(message)
                    if follow.ended:
                        break
                return
            except HarkenError as error:
                pause = follow.lost(error, time.monotonic())
            finally:
                stream.cancel()
            time.sleep(deadline.within(pause))

    def _open(self, request: StreamProgressRequest, timeout: float | None) -> Any:
        """A stream, opened in a thread of its own.

        Ctrl-C strikes the main thread only. There it could cut the opening in half, and gRPC would
        wait forever for that half of a call when the channel is closed.
        """
        with self._own_errors(), ThreadPoolExecutor(1) as threads:
            opening = threads.submit(self._stubs.jobs.StreamProgress, request, timeout=timeout)
            return opening.result()

    def _next(self, stream: Iterator[T]) -> T | None:
        """The stream's next message; None when the server has ended it with OK."""
        with self._own_errors():
            return next(stream, None)

    def _patiently(self, call: Rpc[T]) -> T:
        """The call's answer, asked for again while the server is away, as a watch would."""
        patience = Patience(self.reconnect)
        while True:
            try:
                return self._call(call, None)
            except HarkenError as error:
                time.sleep(patience.lost(error, time.monotonic()))

    def _own_errors(self) -> AbstractContextManager[None]:
        return own_errors(self.target, lambda: self._closed)
