"""What the test image runs: a container that behaves, or misbehaves in the way that /input/mode names."""

import json
import mmap
import os
import sys
import threading
import time
import urllib.request
from pathlib import Path

OUTPUT = Path("/output")
NAMES = ("probability-covid-19.json", "probability-severe-covid-19.json")


def write(*values: object) -> None:
    for name, value in zip(NAMES, values, strict=False):
        (OUTPUT / name).write_text(json.dumps(value))


def hog() -> None:
    held = []
    while True:
        held.append(bytearray(1 << 20))


def oom_in_worker() -> None:
    worker = os.fork()
    if worker == 0:
        hog()
    os.waitpid(worker, 0)
    write(0.1, 0.2)


def busy() -> None:
    while True:
        sum(range(1000))


def crash() -> None:
    raise RuntimeError("the weights are not there")


def extra() -> None:
    write(0.1, 0.2)
    (OUTPUT / "debug.txt").write_text("left behind")


def unreadable() -> None:
    write(0.1)
    (OUTPUT / NAMES[1]).write_text('{"probability": ')


def write_input() -> None:
    Path("/input/cache.npy").write_text("preprocessed")


def write_input_quietly() -> None:
    try:
        write_input()
    except OSError as error:
        print(f"no cache: {error}")
    write(0.1, 0.2)


def network() -> None:
    urllib.request.urlopen("http://weights.invalid/model.pt")


def network_quietly() -> None:
    try:
        network()
    except OSError:
        print("no update was found")
    write(0.1, 0.2)


def threads() -> None:
    for _ in range(200):
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()


def shm_full() -> None:
    with Path("/dev/shm/batch").open("wb") as shared:
        for _ in range(64):
            shared.write(bytes(1 << 20))
            shared.flush()


def shm_bus_error() -> None:
    with Path("/dev/shm/batch").open("w+b") as shared:
        shared.truncate(64 << 20)
        mapped = mmap.mmap(shared.fileno(), 64 << 20)
        for offset in range(0, 64 << 20, 4096):
            mapped[offset] = 1


def write_root() -> None:
    Path("/var/tmp/cache").write_text("preprocessed")
    write(0.1, 0.2)


def use() -> None:
    """Use a known amount of everything, long enough to be metered."""
    held = b"x" * (32 << 20)
    Path("/dev/shm/batch").write_bytes(bytes(1 << 20))
    for _ in range(5):
        threading.Thread(target=time.sleep, args=(0.6,)).start()
    while time.process_time() < 0.6:
        sum(range(1000))
    write(len(held) / (64 << 20), 0.2)


STARTED = Path("/tmp/started")


def again() -> bool:
    """Whether this very container ran before."""
    before = STARTED.exists()
    STARTED.touch()
    return before


def fails_again() -> None:
    if again():
        raise FileExistsError("the folders are there already")
    write(0.1, 0.2)


def hangs_again() -> None:
    if again():
        time.sleep(600)
    write(0.1, 0.2)


def silent_again() -> None:
    write(0.1, 0.2)
    if again():
        sys.exit(0)


def scores() -> None:
    """A table as the trainings print it, with a better figure the second time, and much before it."""
    write(0.1, 0.2)
    print("epoch\n" * 100)
    print(f"  Accuracy    {0.98765 if again() else 0.51111}")
    print("  Loss    0.25")


MODES = {
    "ok": lambda: write(0.25, 0.125),
    "silent": lambda: write(0.25, 0.125),
    "oom": hog,
    "hang": lambda: time.sleep(600),
    "nan": lambda: write(0.1, float("nan")),
    "missing": lambda: write(0.1),
}

if __name__ == "__main__":
    mode = Path("/input/mode").read_text().strip()
    print(f"mode {mode}", flush=True)
    (MODES.get(mode) or globals()[mode])()
    if mode != "silent":
        print("All done.")
    sys.exit(0)
