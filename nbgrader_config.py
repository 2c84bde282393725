"""nbgrader's configuration: solutions/ → notebooks/, and the course's own steps between them.

`nbgrader generate_assignment`, `autograde`, Formgrader and Validate work with it as they are.
"""

from nbgrader import preprocessors as theirs

from grading import preprocessors as ours

c = get_config()

c.CourseDirectory.course_id = "generative-models"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "notebooks"
# nbgrader copies whatever stands beside a notebook; notes and what runs leave behind stay home.
c.CourseDirectory.ignore = [".*", "*~", "*.pyc", "*.md", "*.txt", "__pycache__", "data", "runs"]

c.ClearSolutions.code_stub = {"python": ours.STUB}

c.GenerateAssignment.preprocessors = [
    ours.NormaliseMetadata,
    theirs.LockCells,
    theirs.ClearSolutions,
    ours.NameStubs,
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
]

# A test cell that a student deleted comes back.
c.OverwriteCells.add_missing_cells = True
c.Execute.timeout = 300
