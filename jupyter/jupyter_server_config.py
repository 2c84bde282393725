"""What `make lab` sets in JupyterLab, beside labconfig/; a reader's own settings come first."""

c = get_config()

c.LabApp.default_url = "/lab/tree/README.md"  # the list of the labs
c.ServerApp.jpserver_extensions = {
    # It takes README.md for a notebook.
    "jupyterlab_jupytext": False,
    # For whoever grades; they want the course folder, and complain in this one.
    "nbgrader.server_extensions.assignment_list": False,
    "nbgrader.server_extensions.course_list": False,
    "nbgrader.server_extensions.formgrader": False,
}
