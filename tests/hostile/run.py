"""Every hostile submission against the grading engine, as a table.

    python tests/hostile/run.py                  # all, with neighbours beside and after each
    python tests/hostile/run.py daemon endless*  # some, by name
    python tests/hostile/run.py --aim read       # some, by what they hope for
    python tests/hostile/run.py --alone          # without neighbours: a third of the time

Exit status 1 where any attack got anywhere: a point, a secret, a connection, a changed file, a
process that is still there, a neighbour with another score, a grader that died or hung. An attack
that is broken itself counts, too: it would prove nothing.
"""

from __future__ import annotations

import argparse
import fnmatch
import signal
import sys
import time
from collections.abc import Iterator

from harness import LIMITS, ChildGrader, Harness, Outcome
from plants import Plants
from submissions import AIMS, Attack, attacks

HEAD = f"{'attack':26}{'aim':>8}{'points':>8}{'status':>9}{'seconds':>9}{'MB':>6}  got away with"


def row(outcome: Outcome) -> str:
    """One line of the table."""
    return (
        f"{outcome.attack.name:26}{outcome.attack.aim:>8}{outcome.score:>8g}{outcome.status:>9}"
        f"{outcome.seconds:>9.1f}{outcome.megabytes:>6.0f}  {'; '.join(outcome.hits) or 'nothing'}"
    )


def chosen(arguments: argparse.Namespace) -> list[Attack]:
    """The attacks that were asked for."""
    return [
        attack
        for attack in attacks()
        if (arguments.aim in (None, attack.aim))
        and (attack.quick or not arguments.quick)
        and (not arguments.names or any(fnmatch.fnmatch(attack.name, n) for n in arguments.names))
    ]


def outcomes(wanted: list[Attack], alone: bool) -> Iterator[Outcome]:
    """Try the attacks one after another on one grader."""
    with Plants(LIMITS) as plants:
        grader, other = ChildGrader(plants), ChildGrader(plants)
        harness = Harness(plants, grader, grader.family, None if alone else other)
        try:
            harness.prepare()
            print(f"in force: {', '.join(harness.in_force)}\n\n{HEAD}", flush=True)
            for attack in wanted:
                outcome = harness.attempt(attack, () if alone else ("half",))
                yield outcome
                if outcome.hits:  # what one attack left must not be counted against the next
                    grader.close()
                    harness.begin()
        finally:
            grader.close()
            other.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="names of attacks, with * and ? (default: all)")
    parser.add_argument("--aim", choices=AIMS, help="only those with this aim")
    parser.add_argument("--quick", action="store_true", help="only those that `make test` runs")
    parser.add_argument("--alone", action="store_true", help="grade no honest neighbours")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all is cleared away
    started = time.perf_counter()
    wanted = chosen(arguments)
    hit = 0
    for outcome in outcomes(wanted, arguments.alone):
        print(row(outcome), flush=True)
        hit += bool(outcome.hits)
    seconds = time.perf_counter() - started
    print(f"\n{len(wanted)} attacks in {seconds:.0f} s; {hit} of them got somewhere.")
    return 1 if hit or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())
