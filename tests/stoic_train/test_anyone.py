"""A platform may run an image under a user id of its own, whom the image does not know."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.processes import ROOT

CODE = """
import pwd
def unknown(uid): raise KeyError(uid)
pwd.getpwuid = unknown
from containers.stoic import models
print(models.parameters(models.build("resnet10", {"widen_factor": 0.05}, False)) > 1000)
"""


@pytest.mark.parametrize("image", ["train", "predict"])
def test_a_user_whom_nobody_knows_may_run_it(image: str) -> None:
    """MONAI asks for the user's name when it is imported."""
    text = (ROOT / "containers" / "stoic" / f"{image}.Dockerfile").read_text()
    given = dict(re.findall(r"^    ([A-Z_]+)=(\S+)", text, re.MULTILINE))
    clean = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LOGNAME": given["LOGNAME"]}
    done = subprocess.run([sys.executable, "-c", CODE], env=clean, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
