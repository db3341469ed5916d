"""How JupyterLab is set up here: a password made for one start, this Python for its kernels, nothing from elsewhere."""

from __future__ import annotations

import json
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflow.scripts.salt.serve import HOST

ROOT = Path(__file__).resolve().parents[3]
MANIFEST = "SLIPWAY_SALT_MANIFEST"  # tells the notebook where the data are
KERNEL = "python3"
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that are taken for each other
GROUPS, GROUP = 4, 4  # 79 bits
# Whatever a cluster's shell says of matplotlib, or no picture would be shown.
PICTURES = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}


@dataclass(frozen=True)
class Jupyter:
    """A private folder with settings, and the environment in which Jupyter's programs find them and no others."""

    folder: Path
    environment: Mapping[str, str]

    def protect(self, port: int, root: Path, password: str) -> None:
        """Only the hash of the password is written, and only the owner can read it."""
        for name, content in settings(port, root, password).items():
            _private(self.folder / "config" / f"{name}.json", content)


@contextmanager
def prepared(manifest: Path | None, environ: Mapping[str, str] = os.environ) -> Iterator[Jupyter]:
    """A folder that only this user can read; it is gone at the end, and with it cookies and the kernels' keys."""
    with tempfile.TemporaryDirectory(prefix="slipway-notebook-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for part in ("config", "data", "runtime"):
            (folder / part).mkdir(mode=0o700)
        path = os.pathsep.join([str(ROOT), *filter(None, [environ.get("PYTHONPATH")])])
        told = {MANIFEST: str(manifest.absolute())} if manifest else {}
        _private(
            folder / "data" / "kernels" / KERNEL / "kernel.json", _kernel({"PYTHONPATH": path, **PICTURES, **told})
        )
        # A user's own settings may open the server to the network, or choose another Python.
        kept = {key: value for key, value in environ.items() if not key.startswith(("JUPYTER", MANIFEST))}
        places = {
            "JUPYTER_CONFIG_DIR": folder / "config",
            "JUPYTER_CONFIG_PATH": folder / "config",
            "JUPYTER_DATA_DIR": folder / "data",
            "JUPYTER_PATH": folder / "data",
            "JUPYTER_RUNTIME_DIR": folder / "runtime",
        }
        yield Jupyter(folder, {**kept, **{key: str(place) for key, place in places.items()}})


def new_password() -> str:
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(GROUP)) for _ in range(GROUPS))


def settings(port: int, root: Path, password: str) -> dict[str, Any]:
    """By file: of the server, and of its page, whose layout is kept beside the notebooks; it asks no other machine."""
    from jupyter_server.auth.security import passwd  # takes a second to import

    kept = root.absolute() / ".jupyter"
    server = {
        "ServerApp": {
            "ip": HOST,
            "port": port,
            "port_retries": 0,
            "root_dir": str(root.absolute()),
            "open_browser": False,
            "allow_root": True,
            "allow_unauthenticated_access": False,
            "terminals_enabled": False,
            "jpserver_extensions": {"jupyterlab": True, "jupyter_lsp": False, "jupyter_server_terminals": False},
        },
        "IdentityProvider": {"token": ""},
        "PasswordIdentityProvider": {
            "hashed_password": passwd(password),
            "password_required": True,
            "allow_password_change": False,
        },
    }
    page = {
        "user_settings_dir": str(kept / "settings"),
        "workspaces_dir": str(kept / "workspaces"),
        "extension_manager": "readonly",
        "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "news_url": None,
    }
    asks = {"@jupyterlab/apputils-extension:announcements": True}  # whether a person wants news of Jupyter's makers
    return {
        "jupyter_server_config": server,
        "jupyter_lab_config": {"LabApp": page},
        "labconfig/page_config": {"disabledExtensions": asks},
    }


def _kernel(environment: Mapping[str, str]) -> dict[str, Any]:
    words = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    return {"argv": words, "display_name": "Slipway", "language": "python", "env": dict(environment)}


def _private(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        json.dump(content, stream)
