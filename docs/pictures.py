"""README's pictures, taken from the executed solution notebooks.

    python docs/pictures.py [LAB]...

Runs the labs under the current budget and data, and writes docs/<cell id>.png for each cell named
below.
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
CELLS = {
    "mnist": ["mnist-noising", "mnist-memory"],
    "cfg": ["cfg-density"],
    "unet": ["unet-page"],
    "dit": ["dit-page"],
    "classifier_guidance": ["classifier_guidance-kinds", "classifier_guidance-page"],
}


def main() -> None:
    for lab in sys.argv[1:] or CELLS:
        wanted = CELLS[lab]
        notebook = nbformat.read(ROOT / f"solutions/{lab}/{lab}.ipynb", 4)
        NotebookClient(notebook, timeout=900).execute()
        for cell in notebook.cells:
            if cell.id not in wanted:
                continue
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    target = ROOT / "docs" / f"{cell.id}.png"
                    target.write_bytes(base64.b64decode(output.data["image/png"]))
                    print(f"wrote {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
