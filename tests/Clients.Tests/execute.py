"""Executes a notebook with nbclient, in the notebook's folder, and writes a copy with its outputs."""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

source, copy, kernel = sys.argv[1:]
notebook = nbformat.read(source, as_version=4)
NotebookClient(notebook, kernel_name=kernel, timeout=600, startup_timeout=300, resources={"metadata": {"path": str(Path(source).parent)}}).execute()
nbformat.write(notebook, copy)
