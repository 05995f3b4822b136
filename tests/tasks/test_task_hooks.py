"""The built-in tasks as a plugin."""

from __future__ import annotations

import subprocess
import sys

from harness import Task
from harness_tasks.hooks import harness_tasks


def test_tasks_build_from_their_defaults():
    components = list(harness_tasks())
    assert [c.name for c in components] == ["generated", "vsi_bench"]
    assert all(isinstance(c.create(c.config()), Task) for c in components)
    assert all(c.summary for c in components)


def test_listing_imports_no_heavy_library():
    code = (
        "import sys, harness_tasks.hooks as h; list(h.harness_tasks()); "
        "print(sorted({'numpy', 'torch', 'pyarrow'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
