"""Many submissions on a Dask cluster: any site's own, reached by its scheduler's address.

Each worker that is to grade offers the resource `grade`, one for each submission at a time:

    dask scheduler
    dask worker tcp://head:8786 --nworkers 16 --nthreads 1 --resources "grade=1"

Submissions and labs travel in the tasks; a worker needs no shared disk and no database, only the
same version of this package. TLS is the scheduler's: `tls://head:8786`, with the certificates that
Dask's own configuration names (`distributed.comm.tls`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grading.engine import ENGINE_VERSION, Options, failed
from grading.many import TRIES, Done, Task
from grading.notebooks import CourseError
from grading.station import grade_here
from grading.store import code_digest
from grading.wire import options_as_json, options_from_json, result_as_json, result_from_json

RESOURCE = "grade"
CONNECT_SECONDS = 20
WORKER = f'dask worker ADDRESS --nworkers N --nthreads 1 --resources "{RESOURCE}=1"'


def grade_on_cluster(tasks: Sequence[Task], address: str, options: Options) -> Iterator[Done]:
    """Grade tasks on the workers of a Dask scheduler; yields results in order of arrival.

    A worker that is lost costs only what it had in hand: that is run again elsewhere. What has
    ended its worker twice is reported as failed. Closing the iterator cancels what waits.

    Raises `CourseError` before the first task where the scheduler does not answer, no worker
    offers the resource, or one has another version of this package.
    """
    from distributed import Client, as_completed

    client = _connected(Client, address)
    waiting: dict[Any, Task] = {}
    try:
        _check_workers(client, address)
        # A task that ends its worker must not be tried for ever, nor wait for minutes.
        client.run_on_scheduler(_allow_failures, TRIES - 1)
        # Each lab as a task of its own: it is sent once, and again where its worker was lost.
        labs = {lab: client.submit(bytes, lab) for lab in {task.master for task in tasks}}
        for task in tasks:
            try:
                submission = task.path.read_bytes()
            except OSError as error:
                reason = f"The file could not be read ({error.strerror})."
                yield Done(task, failed(task.master, reason), final=False)
                continue
            future = client.submit(
                run_there, submission, labs[task.master], options_as_json(options),
                key=_key(task), resources={RESOURCE: 1}, retries=0, pure=False,
            )  # fmt: skip
            waiting[future] = task
        for future in as_completed(list(waiting), loop=client.loop):
            task = waiting.pop(future)
            yield _done(task, future)
            future.release()
    finally:
        client.cancel(list(waiting))
        client.close()


def run_there(submission: bytes, master: bytes, options: Mapping[str, Any]) -> dict[str, Any]:
    """What a worker of the cluster runs: one submission, in a box of its own."""
    return result_as_json(grade_here(submission, master, options_from_json(options)))


def version_there() -> tuple[str, str]:
    """The engine's version, and the digest of the code that decides a score."""
    return ENGINE_VERSION, code_digest()


def _connected(client: Any, address: str) -> Any:
    try:
        return client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise CourseError(
            f"--scheduler was given {address!r}, and no Dask scheduler answers there"
            f" ({str(error).splitlines()[0] if str(error) else type(error).__name__}); expected an"
            " address such as tcp://head:8786 or tls://head:8786: start `dask scheduler`, or check"
            " the address and the certificates in Dask's configuration."
        ) from None


def _check_workers(client: Any, address: str) -> None:
    workers = client.scheduler_info(n_workers=-1)["workers"]
    offering = [name for name, told in workers.items() if told["resources"].get(RESOURCE)]
    if not offering:
        raise CourseError(
            f"The scheduler at {address} has {len(workers)} workers, and none of them offers the"
            f" resource {RESOURCE!r}; expected one for each core that grades. Start them with:"
            f" {WORKER.replace('ADDRESS', address)}"
        )
    try:
        versions = client.run(version_there, workers=offering)
    except Exception as error:  # whatever an import or an unpickling on the worker raised
        raise CourseError(
            f"A worker of {address} cannot run this package ({type(error).__name__}: {error});"
            " expected the same version as here on each: install it there."
        ) from None
    others = sorted(name for name, told in versions.items() if told != version_there())
    if others:
        raise CourseError(
            f"{len(others)} workers have another version of this package than this machine, such"
            f" as {others[0]}; expected the same, or scores could differ: install it there, and"
            " restart them."
        )


def _allow_failures(count: int, dask_scheduler: Any = None) -> None:
    dask_scheduler.allowed_failures = count


def _key(task: Task) -> str:
    name = f"{task.student}/{task.lab}/{task.path}"
    return f"grade-{hashlib.sha256(name.encode()).hexdigest()[:24]}"


def _done(task: Task, future: Any) -> Done:
    if future.status == "finished":
        return Done(task, result_from_json(future.result()))
    error = future.exception()
    if type(error).__name__ == "KilledWorker":
        told = f"its worker ended {TRIES} times"
    else:
        told = f"{type(error).__name__}: {error}"
    reason = f"The grader got no result ({told}). Run the command again."
    return Done(task, failed(task.master, reason), final=False)
