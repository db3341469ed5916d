"""Files that the platform has of its own, written plainly after its contract: they stand where ours would.

cvat_dataset.py wants a package that our image lacks, so that asking for it would end a program.
"""

from __future__ import annotations

CONFIG = """
import json

def load_config():
    with open("./train_config.json") as stream:
        return json.load(stream)

def finalize_config(config, custom={}):
    with open("./presets.json") as stream:
        presets = json.load(stream)
    with open("./train_config.json", "w") as stream:
        json.dump({**config, **presets, **custom}, stream, indent=4)
"""

CONFIG_TO_ARGS = """
import json

words = []
with open("./train_config.json") as stream:
    config = json.load(stream)
for key, value in config.items():
    if value is None or value == "" or key in ("train-split", "test-split"):
        continue
    if isinstance(value, bool):
        words += [f"--{key}"] if value else []
    elif isinstance(value, list):
        words += [f"--{key} " + " ".join(map(str, value))] if value else []
    else:
        words.append(f"--{key} {value}")
print(" ".join(words))
"""

DATASET = """
import os
from pathlib import Path

MOUNTED_DATASETS_ROOT_PATH, DATASETS_ROOT_PATH = Path("/minio/datasets"), Path("/datasets")
DATA_DIRS = {}

def get_dataset_path():
    path = MOUNTED_DATASETS_ROOT_PATH / os.environ["DATASET_ID"]
    assert path.is_dir()
    return path

def load_dataset_filepaths():
    return list(get_dataset_path().glob("*.*"))
"""

CVAT_DATASET = "import slipway_has_no_such_package\n"

EXPORT = """
def export_model(model, model_filepath, model_format, default_model_export_func, default_model_export_kwargs=None):
    print(f"the platform exports {model_filepath} as {model_format}")
    default_model_export_func(model, model_filepath, **(default_model_export_kwargs or {}))
"""

PLATFORMS = {
    "config.py": CONFIG,
    "config_to_args.py": CONFIG_TO_ARGS,
    "dataset.py": DATASET,
    "cvat_dataset.py": CVAT_DATASET,
    "export.py": EXPORT,
}
