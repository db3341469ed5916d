"""The training's configuration: read it, and complete it with what the architecture fixes once the data are set up.

All files lie in the working folder, which is /workspace in the container.
"""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CONFIG, PRESETS = Path("train_config.json"), Path("presets.json")


def load_config() -> dict[str, Any]:
    """What the user chose, by the keys of config.jsonschema; after `finalize_config` also what it added."""
    return _read(CONFIG, "put it beside train.py; the platform writes it from the form of config.jsonschema")


def finalize_config(config: Mapping[str, Any], custom: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Add the presets and what setup found out to the configuration, rewrite its file and return it; later ones win.

    Doing it again with what it wrote changes nothing, so that a container can be started again.
    """
    merged = {**config, **_read(PRESETS, "put it beside train.py; it ships with the architecture"), **(custom or {})}
    for key, value in merged.items():
        try:
            json.dumps({key: value}, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise SystemExit(f"error: {CONFIG} cannot hold {key} ({error}); give it a value that JSON has") from None
    _write(CONFIG, json.dumps(merged, indent=4) + "\n")
    return merged


def _read(path: Path, advice: str) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SystemExit(f"error: {path} is not there in {Path.cwd()}; {advice}") from None
    except OSError as error:
        raise SystemExit(f"error: {path} cannot be read ({error.strerror}); check whose it is") from None
    except ValueError as error:  # no JSON, or no UTF-8
        raise SystemExit(f"error: {path} is not readable as JSON ({error}); correct it there") from None
    if not isinstance(value, dict):
        raise SystemExit(f"error: {path} holds no object; write its keys and values between braces")
    return value


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=".part", dir=path.parent)
    partial = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        partial.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        try:
            partial.replace(path)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            path.write_text(text, encoding="utf-8")  # `docker run -v` of the file mounts it, and nothing replaces that
    finally:
        partial.unlink(missing_ok=True)
