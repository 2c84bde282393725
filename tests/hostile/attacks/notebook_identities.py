"""Ids and metadata of a notebook: paths, the grader's own ids, duplicates, points of one's own.

Aim: gain
Quick: yes
"""

print("here")

# %% notebook
cells = notebook["cells"]
by_id = {cell["id"]: cell for cell in cells}
test = by_id["mnist-1-2-check"]
twin = copy.deepcopy(test)
twin["source"] = "3.0"
own = copy.deepcopy(test)
own["id"] = own["metadata"]["nbgrader"]["grade_id"] = "../../../../tmp/hostile"
own["metadata"]["nbgrader"]["points"] = 1000
own["source"] = "1000.0"
notice = copy.deepcopy(twin)
notice["id"] = notice["metadata"]["nbgrader"]["grade_id"] = "grading-notice"
test["metadata"]["nbgrader"] |= {"points": 1000, "locked": False, "solution": True}
by_id["mnist-1-1-answer"]["metadata"]["nbgrader"] |= {"grade": True, "points": 12}
by_id["mnist-1-3-check"]["metadata"]["tags"] = ["skip-execution", "raises-exception"]
by_id["mnist-1-4-check"]["cell_type"] = "markdown"
by_id["mnist-1-4-check"]["attachments"] = {"../../x": {"text/plain": "eA=="}}
cells += [twin, own, notice]
notebook["metadata"] = {
    "kernelspec": {"name": "../../../bin/sh", "display_name": "x", "language": "python"},
    "language_info": {"name": "python", "file_extension": "/../../x"},
    "course": {"lab": "../../solutions", "points": 1000, "grading": {"status": "graded"}},
    "widgets": {"application/vnd.jupyter.widget-state+json": {"state": {}}},
    "nbgrader": {"points": 1000},
}
