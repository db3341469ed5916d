"""What a daemon of Slipway's own leaves behind."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.processes import ROOT

pytestmark = [pytest.mark.engine, pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")]


def test_a_stopped_engine_leaves_a_folder_that_can_be_removed(tmp_path: Path) -> None:
    """Docker keeps a mount for containers with the host's network, also when it ends."""
    run = tmp_path / "run"
    place = run / "exec" / "netns" / "default"
    place.parent.mkdir(parents=True)
    place.touch()
    ended = subprocess.Popen(["true"])
    ended.wait()
    (run / "docker.pid").write_text(str(ended.pid))
    script = f"mount --bind {place} {place} && {ROOT}/tools/engine.sh stop && rm -r {run}"
    environment = {**os.environ, "SLIPWAY_ENGINE_RUN": str(run)}
    words = ["unshare", "--mount", "bash", "-c", script]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "slipway: the Docker daemon has stopped\n")
    assert not run.exists()
