"""A class of 200 from the download to the export, by the commands that an instructor types.

    python benchmarks/class_of_200.py                          # all labs
    python benchmarks/class_of_200.py --labs mnist --students 20

The submissions are mixed from the corpus of right and wrong answers, so every grade is known
beforehand: exit status 1 where one comes out otherwise. Prints the time of each command.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from _mixed_class import DUE, ROOT, Member, canvas_zip, mixed_class, roster_csv

from grading.release import CONFIG, all_labs, release

SEQUENCE = (
    "collect canvas --roster roster.csv",
    "grade",
    "waiting --csv answers.csv",
    "score answers.csv",
    "feedback",
    "report --roster roster.csv",
    "report --roster roster.csv --anonymous",
    "export canvas --roster roster.csv",
    "export moodle --roster roster.csv",
    "export gradescope --roster roster.csv",
)


def hold(place: Path, labs: list[str], students: int, seed: int) -> list[Member]:
    """A course folder with a roster, dates, and a folder of downloads."""
    shutil.copy(ROOT / CONFIG, place / CONFIG)
    for lab in labs:
        shutil.copytree(ROOT / "solutions" / lab, place / "solutions" / lab)
    release(place)
    due = "".join(f"{lab} = {DUE}\n" for lab in labs)
    late = f"days_in_all = {len(labs)}\ndays_per_lab = 1\n"
    (place / "course.toml").write_text(f"[due]\n{due}\n[late]\n{late}", encoding="utf-8")
    members = mixed_class(place, labs, students, seed)
    (place / "roster.csv").write_text(roster_csv(members), encoding="utf-8")
    (place / "canvas").mkdir()
    for lab in labs:
        (place / "canvas" / f"{lab}.zip").write_bytes(canvas_zip(members, lab))
    return members


def score(place: Path, members: list[Member]) -> int:
    """Fill in the table of what waits, as a human would; returns how many answers."""
    by_login = {member.login: member for member in members}
    path = place / "answers.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        counted = by_login[row["student"]].counts(row["lab"])
        assert counted is not None and counted.earned is not None
        row["points"] = f"{counted.earned[row['question']]:g}"
        row["comment"] = "Read."
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


def implied(member: Member, lab: str) -> tuple[str, float | None]:
    """The state and the points that follow from what somebody handed in."""
    counted = member.counts(lab)
    if counted is None:
        return "missing", None
    if counted.earned is None:
        return "failed", None
    return "graded", sum(counted.earned.values())


def differences(place: Path, members: list[Member], labs: list[str]) -> list[str]:
    """Where the file for Canvas says something else than what the mixture implies."""
    with (place / "exports/canvas.csv").open(encoding="utf-8-sig", newline="") as file:
        heads, _, *rows = csv.reader(file)
    found = {row[heads.index("SIS Login ID")]: dict(zip(heads, row, strict=True)) for row in rows}
    wrong = []
    for member in members:
        for lab in labs:
            state, points = implied(member, lab)
            told = found[member.login][f"Current Grade status: {lab}"].split(",")[0]
            text = found[member.login][lab]
            given = float(text) if text else None
            if (told, given) != (state, points):
                wrong.append(f"{member.login}, {lab}: {told} {given}; implied {state} {points}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labs", nargs="*", default=all_labs(ROOT))
    parser.add_argument("--students", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="a new folder for the class, which stays")
    chosen = parser.parse_args()
    place = chosen.keep or Path(tempfile.mkdtemp(prefix="class-of-200-"))
    place.mkdir(parents=True, exist_ok=True)
    members = hold(place, chosen.labs, chosen.students, chosen.seed)
    sent = sum(len(m.attempts[lab]) for m in members for lab in chosen.labs)
    states = Counter(implied(m, lab)[0] for m in members for lab in chosen.labs)
    told = ", ".join(f"{count} {state}" for state, count in states.items())
    print(f"{len(members)} students, {len(chosen.labs)} labs, {sent} files; implied: {told}\n")
    print("| command | seconds |\n|---|---|", flush=True)
    for words in SEQUENCE:
        if words.startswith("score"):
            print(f"| (a human fills in {score(place, members)} rows) | |", flush=True)
        run(place, words)
    wrong = differences(place, members, chosen.labs)
    count = len(members) * len(chosen.labs)
    print(f"\n{count - len(wrong)} of {count} grades as the mixture implies.", *wrong, sep="\n")
    if chosen.keep is None and not wrong:
        shutil.rmtree(place)
    else:
        print(f"The class is in {place}")
    return bool(wrong)


def run(place: Path, words: str) -> None:
    """One command in the course folder, with its time; ends this program where it fails."""
    command = [sys.executable, "-m", "grading.cli", *words.split()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    started = time.perf_counter()
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"course {words} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    print(f"| `course {words}` | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
