"""Checks: what each job must satisfy, in two halves that can run in two places.

A check's *probe* runs beside the student's code and returns tensors; its *verdict* is a pure
function of inputs and those tensors. A notebook runs both; a grader may run the verdict elsewhere.
``course_utils.checks.<lab>`` holds the jobs of one lab and its ``check`` function.
"""
