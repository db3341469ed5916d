"""A clean copy of this repository with Snakemake in it, as a user has after cloning."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Clone:
    root: Path

    @classmethod
    def make(cls, root: Path) -> Clone:
        """Copy what git has or would add, as it is in the working tree."""
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        for name in listed.stdout.splitlines():
            if (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, root / name)
        return cls(root)

    def share_downloads(self, folder: Path) -> None:
        """Keep the base and the wheels in a folder for several clones, instead of fetching them for each."""
        (self.root / "scratch").mkdir(exist_ok=True)
        (self.root / "scratch" / "containers").symlink_to(folder)

    def snakemake(
        self, *words: str, environ: Mapping[str, str] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", *words],
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(environ or {})},
            check=False,
        )
        if check:
            assert done.returncode == 0, done.stdout[-6000:]
        return done

    def plan(self, *words: str) -> dict[str, int]:
        """How many jobs of each rule a dry run would do."""
        return jobs(self.snakemake("--dry-run", *words).stdout)

    def overlay(self, name: str, challenge: str = "stoic", /, **block: object) -> list[str]:
        """A configuration file that lies over the shipped one, as words for Snakemake."""
        path = self.root / f"{name}.yaml"
        path.write_text(yaml.safe_dump({"challenges": {challenge: block}}))
        return ["--configfile", str(path), "--"]


def jobs(output: str) -> dict[str, int]:
    """The table of job counts in Snakemake's output; empty where there is nothing to do."""
    return {
        name: int(count)
        for name, count in re.findall(r"^(\w+)\s+(\d+)$", output, flags=re.MULTILINE)
        if name not in ("total", "job")
    }
