"""nbgrader's configuration: solutions/ → notebooks/, and the course's own steps between them.

`nbgrader generate_assignment`, `autograde`, Formgrader and Validate work with it as they are.
"""

import glob
from pathlib import Path

from nbgrader import preprocessors as theirs

from grading import preprocessors as ours
from grading.settings import settings

c = get_config()

c.CourseDirectory.course_id = "generative-models"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "notebooks"
# nbgrader copies whatever stands beside a notebook. Students get the notebook alone: the last two
# patterns hold for every file in solutions/<lab>, whose path nbgrader spells with a "./" in it.
# The others keep what runs and editors leave behind out of every exchange.
HERE = Path(__file__).resolve().parent
LAB = Path(glob.escape(str(HERE))).as_posix() + "/solutions/./*"
c.CourseDirectory.ignore = [
    *(".*", "*~", "*.pyc", "__pycache__", "feedback", "data", "runs"),
    *(f"{LAB}/*", f"{LAB}/.*"),
]

c.ClearSolutions.code_stub = {"python": ours.STUB}

c.WriteAddress.address = settings(HERE).address

c.GenerateAssignment.preprocessors = [
    ours.NormaliseMetadata,
    theirs.LockCells,
    theirs.ClearSolutions,
    ours.NameStubs,
    ours.WriteAddress,
    ours.TagChecks,
    theirs.ClearOutput,
    theirs.CheckCellMetadata,
    theirs.ComputeChecksums,
    theirs.SaveCells,
    theirs.ClearHiddenTests,
    theirs.ClearMarkScheme,
    # Again, because the hidden tests are gone now.
    theirs.ComputeChecksums,
    theirs.CheckCellMetadata,
    ours.VerifyRelease,
]

# A test cell that a student deleted comes back, and one that stands twice stops nobody else.
c.OverwriteCells.add_missing_cells = True
c.Autograde.sanitize_preprocessors = [
    theirs.ClearOutput,
    theirs.DeduplicateIds,
    theirs.OverwriteKernelspec,
    ours.RestoreCells,
    theirs.CheckCellMetadata,
]
c.Execute.timeout = 300

# Formgrader: a rubric beside each answer in words, and nothing of a submission that could run.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {
    "markdown2html": "grading.formgrader.markdown2html",
    "clean_html": "grading.formgrader.clean_html",
}
c.HTMLExporter.preprocessors = ["grading.formgrader.GradingView"]
c.GradingView.course_dir = str(HERE)
