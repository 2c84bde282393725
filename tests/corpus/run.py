"""The whole corpus, as a table by lab and job: `make corpus`.

    python tests/corpus/run.py                 # everything, on all cores
    python tests/corpus/run.py --lab cfg       # one lab
    python tests/corpus/run.py --no-mutants    # right and wrong answers alone

Right answers are tried on three seeds and the hidden one, with one thread and two, in float32 and
in float64. Wrong answers must lose the points of their job and of no other. Mutants that survive
must stand in survivors.toml, with the reason; those that are right answers of another kind, or
compute the same, are not counted. Exit status 1 where anything falls short.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field

os.environ["OMP_NUM_THREADS"] = "1"

import torch
from answers import (
    LABS,
    Answer,
    corpus,
    double_precision,
    hidden_seeds,
    notebook_with,
    report,
    told,
)
from mutants import killed, known, mutants, survivors

SEEDS = (0, 1, 2)
LEAST_NAMED, LEAST_KILLED, MOST_SECONDS = 0.9, 0.95, 5.0


@dataclass
class Row:
    """What became of a job's answers and mutants, and every complaint."""

    job: str
    right: int = 0
    of_right: int = 0
    caught: int = 0
    named: int = 0
    of_wrong: int = 0
    killed: int = 0
    of_mutants: int = 0
    seconds: float = 0
    check_seconds: float = 0
    complaints: list[str] = field(default_factory=list)

    def __add__(self, other: Row) -> Row:
        total = Row(self.job)
        for name, value in vars(self).items():
            if name != "job":
                setattr(total, name, value + getattr(other, name))
        return total

    def __str__(self) -> str:
        def share(part: int, whole: int) -> str:
            return f"{part}/{whole}" if whole else "–"

        return (
            f"{self.job:26}{share(self.right, self.of_right):>8}"
            f"{share(self.caught, self.of_wrong):>8}{share(self.named, self.of_wrong):>8}"
            f"{share(self.killed, self.of_mutants):>10}"
            f"{self.check_seconds:>8.2f} s{self.seconds:>8.0f} s"
        )


HEAD = f"{'':26}{'right':>8}{'caught':>8}{'named':>8}{'mutants':>10}{'checks':>10}{'run':>10}"


def try_right(answer: Answer) -> Iterator[str]:
    """What a right answer is refused for, in any of the ways to run it."""
    hidden = hidden_seeds(answer.lab)[answer.job.number]
    for double in (False,) if answer.single else (False, True):
        with double_precision() if double else nullcontext():
            space = notebook_with(answer.lab, answer.job.number, answer.source)
            for threads in (1, 2):
                torch.set_num_threads(threads)
                for seed in (*SEEDS, hidden):
                    found = report(answer.job, space, seed)
                    if not found.passed:
                        how = (
                            f"seed {seed}, {threads} threads, {'float64' if double else 'float32'}"
                        )
                        yield f"{answer}: refused ({how}): {told(found)}"
    torch.set_num_threads(1)


def try_wrong(answer: Answer) -> Iterator[str]:
    """Where a wrong answer earns too much, is told something else, or costs another job points."""
    words = answer.named or answer.shown or ""
    space = notebook_with(answer.lab, answer.job.number, answer.source)
    for seed in (0, hidden_seeds(answer.lab)[answer.job.number]):
        found = report(answer.job, space, seed)
        if found.passed or found.earned != answer.keeps:
            yield f"{answer}: earns {found.earned:g}, not {answer.keeps:g} (seed {seed})"
        elif words not in told(found):
            yield f"{answer}: is told something else (seed {seed}): {told(found)}"
    for number, other in LABS[answer.lab].jobs.items():
        if number != answer.job.number:
            found = report(other, space, hidden_seeds(answer.lab)[number])
            if not found.passed:
                yield f"{answer}: costs points in job {number}, too: {told(found)}"


def try_job(lab: str, number: str, with_mutants: bool) -> Row:
    """All answers and mutants of one job."""
    started = time.perf_counter()
    row = Row(f"  {number} {LABS[lab].jobs[number].title}"[:25])
    row.check_seconds = check_seconds(lab, number)
    for answer in corpus(lab, number, "right"):
        complaints = list(try_right(answer))
        row.of_right, row.right = row.of_right + 1, row.right + (not complaints)
        row.complaints += complaints
    for answer in corpus(lab, number, "wrong"):
        complaints = list(try_wrong(answer))
        caught = not complaints
        row.of_wrong, row.caught = row.of_wrong + 1, row.caught + caught
        row.named += caught and answer.named is not None
        row.complaints += complaints
    if with_mutants:
        try_mutants(row, lab, number)
    row.seconds = time.perf_counter() - started
    return row


def try_mutants(row: Row, lab: str, number: str) -> None:
    """Count the mutants that should be killed, and complain of survivors that nobody explains."""
    unseen = {one for one in survivors() if one.job == f"{lab}/{number}"}
    for mutant in mutants(lab, number):
        dead, why = killed(mutant), known(mutant)
        if not dead:
            unseen.discard(why)
        if not dead and why is None:
            row.complaints.append(f"{mutant}: survives")
        if dead or why is None or why.kind == "missed":
            row.of_mutants, row.killed = row.of_mutants + 1, row.killed + dead
    # What was missed may be killed by another processor's rounding; reasons are for the others.
    wrong = [one for one in unseen if one.kind != "missed"]
    row.complaints += [f"{one.job}: {one.was} → {one.now}: does not survive" for one in wrong]


def check_seconds(lab: str, number: str) -> float:
    """Processor time of the visible and the hidden test of the reference, warm, on one thread."""
    space = notebook_with(lab, number, "")
    job = LABS[lab].jobs[number]
    report(job, space, 0)
    started = time.process_time()
    for seed in (0, hidden_seeds(lab)[number]):
        report(job, space, seed)
    return time.process_time() - started


def verdicts(totals: dict[str, Row]) -> Iterator[str]:
    """Which of the corpus's promises a lab does not keep."""
    for lab, row in totals.items():
        if row.named < LEAST_NAMED * row.of_wrong:
            yield f"{lab}: {row.named} of {row.of_wrong} wrong answers are named, fewer than 90 %"
        if row.killed < LEAST_KILLED * row.of_mutants:
            yield f"{lab}: {row.killed} of {row.of_mutants} mutants are killed, fewer than 95 %"
        if row.check_seconds > MOST_SECONDS:
            yield f"{lab}: its checks take {row.check_seconds:.1f} s, more than 5 s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lab", choices=LABS, help="one lab (default: all)")
    parser.add_argument("--no-mutants", action="store_true", help="leave the mutants out")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    chosen = parser.parse_args()
    labs = [chosen.lab] if chosen.lab else list(LABS)
    totals, complaints = {}, []
    print(HEAD, flush=True)
    with ProcessPoolExecutor(chosen.jobs) as pool:
        work = {
            lab: [pool.submit(try_job, lab, n, not chosen.no_mutants) for n in LABS[lab].jobs]
            for lab in labs
        }
        for lab, futures in work.items():
            rows = [future.result() for future in futures]
            totals[lab] = sum(rows[1:], rows[0])
            totals[lab].job = lab
            print("\n".join(map(str, (totals[lab], *rows))), flush=True)
            complaints += totals[lab].complaints
    complaints += verdicts(totals)
    print("\n".join(["", *complaints] if complaints else ["", "Every promise is kept."]))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
