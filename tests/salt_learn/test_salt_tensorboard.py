"""TensorBoard: real, on the loopback interface, and gone when it is told to end."""

from __future__ import annotations

import json
import signal
import socket
import urllib.request
from pathlib import Path

import pytest
from torch.utils.tensorboard import SummaryWriter

from tests.salt_learn.servers import LOOPBACK, Started, below, heard_at, started, wait
from workflow.scripts.salt import serve, tensorboard

MODULE = "workflow.scripts.salt.tensorboard"


def runs(server: Started) -> list[str]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{server.port()}/data/runs") as answer:
        assert answer.status == 200
        found: list[str] = json.load(answer)
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_shows_a_run_on_the_loopback_interface_alone_until_it_is_told_to_end(
    tmp_path: Path, number: signal.Signals
) -> None:
    writer = SummaryWriter(str(tmp_path / "runs" / "segmentation_fold_0-abc"))
    writer.add_scalar("loss", 0.5, 0)
    writer.close()
    with started(MODULE, ["--logdir", tmp_path / "runs", "--port", "0"], tmp_path) as server:
        wait(lambda: runs(server) == ["segmentation_fold_0-abc"])
        port = server.port()
        assert heard_at(port) == LOOPBACK
        assert below(server.process.pid)
        assert server.end(number) == 0
        lines = server.text().splitlines()
    assert lines[0] == f"TensorBoard: open http://127.0.0.1:{port}/"
    assert lines[1].startswith(f"From another machine run 'ssh -N -L {port}:127.0.0.1:{port} {socket.gethostname()}'")
    assert lines[1].endswith(f"Ctrl-C here ends it; log: {server.log}")
    assert len(lines) == 2
    assert "TensorBoard" in server.log.read_text()


def test_it_may_start_before_a_training_and_then_finds_it(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    with started(MODULE, ["--logdir", folder, "--port", "0"], tmp_path) as server:
        assert runs(server) == []
        assert server.text().startswith(
            f"{folder} has no learning curves yet; they appear once a training runs (snakemake salt_train)\n"
        )
        writer = SummaryWriter(str(folder / "late"))
        writer.add_scalar("loss", 0.5, 0)
        writer.close()
        wait(lambda: runs(server) == ["late"])
        assert server.end() == 0


def test_it_ends_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    with started(MODULE, ["--logdir", tmp_path, "--port", "0"], tmp_path) as server:
        server.port()
        server.end(signal.SIGKILL)


def test_a_taken_port_names_its_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert tensorboard.main(["--logdir", str(tmp_path), "--port", str(port), "--log", str(tmp_path / "log")]) == 1
    key = "challenges.salt.tensorboard.port"
    said = f"error: port {port} for TensorBoard is taken; set {key} to another one, or to 0 for any\n"
    assert capsys.readouterr().err == said
    assert not (tmp_path / "log").exists()


def test_a_file_is_no_folder_of_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.touch()
    assert tensorboard.main(["--logdir", str(file), "--port", "0", "--log", str(tmp_path / "log")]) == 1
    assert capsys.readouterr().err == (
        f"error: --logdir {file} is no folder; name the one below which the trainings write\n"
    )


def test_a_log_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tensorboard.main(["--logdir", str(tmp_path), "--port", "0", "--log", str(tmp_path)]) == 1
    said = f"error: --log {tmp_path} cannot be written (Is a directory); name another file\n"
    assert capsys.readouterr().err == said


def test_a_server_that_does_not_start_is_quoted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorboard, "HOST", "192.0.2.1")
    log = tmp_path / "log"
    assert tensorboard.main(["--logdir", str(tmp_path), "--port", "0", "--log", str(log)]) == 1
    err = capsys.readouterr().err
    assert err == (
        f"error: TensorBoard ended with status 1; see {log}, which ends with: Cannot assign requested address\n"
    )


def test_what_is_ignored_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "STOPS", (signal.SIGHUP, signal.SIGTERM))
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with serve.until_stopped():
            signal.raise_signal(signal.SIGHUP)
            heard = True
            signal.raise_signal(signal.SIGTERM)
            heard = False
        assert heard
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)
