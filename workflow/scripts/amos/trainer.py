"""nnU-Net's trainer, told by Slipway how long and how fast, that can be killed at any moment and goes on.

Import this module after `nnunet.workspace`. nnU-Net's own log lies beside the checkpoints.
"""

from __future__ import annotations

import math
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from batchgeneratorsv2.transforms.noise.gaussian_blur import GaussianBlurTransform
from nnunetv2.training.lr_scheduler.polylr import PolyLRScheduler
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.default_n_proc_DA import get_allowed_n_proc_DA
from torch._dynamo import OptimizedModule

from containers.amos.settings import Train
from containers.kit import cpus, rng
from containers.kit.errors import UserError
from containers.kit.files import replacing
from workflow.scripts.amos import halves, nnunet, own

FINAL, LATEST = "checkpoint_final.pth", "checkpoint_latest.pth"
SECONDS_BETWEEN_CHECKPOINTS = 600.0
COLUMNS = {"train_loss": "train_losses", "val_loss": "val_losses", "dice": "ema_fg_dice", "lr": "lrs"}


class SlipwayTrainer(nnUNetTrainer):
    """Its arguments are those of nnU-Net's trainers; `tell` comes before anything else is called."""

    def tell(self, train: Train, plan_folder: Path, cases: Path) -> None:
        self.train_settings, self.stop, self.console = train, False, sys.stdout
        self.preprocessed_dataset_folder_base = str(plan_folder)  # where the splits and the fingerprint lie
        self.preprocessed_dataset_folder = str(cases)
        self.num_epochs, self.initial_lr = train.epochs, train.lr
        self.num_iterations_per_epoch, self.num_val_iterations_per_epoch = train.iterations, train.val_iterations
        self.enable_deep_supervision = (
            own.takes_deep_supervision(self.configuration_manager.configuration)
            and len(self.configuration_manager.pool_op_kernel_sizes) > 2  # else no output of it would count in the loss
        )
        self.saved = self.drawn = time.monotonic()
        self.restored: dict[str, Any] | None = None
        rng.seed_all(rng.seed_of(train.seed, self.fold))

    @property
    def folder(self) -> Path:
        return Path(self.output_folder)

    @staticmethod
    def build_network_architecture(
        plans_manager: Any,  # noqa: ARG004 (nnU-Net passes them by name)
        configuration_manager: Any,
        num_input_channels: int,
        num_output_channels: int,
        enable_deep_supervision: bool = True,
    ) -> torch.nn.Module:
        """Also one of the user's own, which may know no deep supervision."""
        configuration = configuration_manager.configuration
        return own.build(configuration, num_input_channels, num_output_channels, enable_deep_supervision)

    def initialize(self) -> None:
        super().initialize()
        if self.device.type == "cpu":  # a quarter faster there, and equal otherwise
            self.network.to(memory_format=torch.channels_last_3d)
            if self.train_settings.amp == "auto" and cpus.fast_halves():
                halves.compute_in_halves(self.network)

    def set_deep_supervision_enabled(self, enabled: bool) -> None:
        if own.takes_deep_supervision(self.configuration_manager.configuration):
            super().set_deep_supervision_enabled(enabled)

    def configure_rotation_dummyDA_mirroring_and_inital_patch_size(self) -> Any:  # noqa: N802
        rotation, flat, patch, axes = super().configure_rotation_dummyDA_mirroring_and_inital_patch_size()
        if not self.train_settings.mirror:
            axes = self.inference_allowed_mirroring_axes = None
        if self.train_settings.augment == "none":
            patch = list(self.configuration_manager.patch_size)  # nothing turns it, so that it needs no margin
        return rotation, flat, patch, axes

    def configure_optimizers(self) -> tuple[Any, Any]:
        if self.train_settings.optimizer == "sgd":
            sgd, falling = super().configure_optimizers()
            return sgd, falling
        adamw = torch.optim.AdamW(self.network.parameters(), self.initial_lr, weight_decay=self.weight_decay)
        return adamw, PolyLRScheduler(adamw, self.initial_lr, self.num_epochs)

    def get_training_transforms(self, *args: Any, **named: Any) -> Any:
        """Those of nnU-Net, or what it does to a validation patch, which changes nothing.

        In a single process, which draws the same every time, no blur is chosen by a race.
        """
        if self.train_settings.augment == "none":
            named.pop("use_mask_for_norm", None)
            return nnUNetTrainer.get_validation_transforms(args[2], **named)  # the scales of deep supervision
        composed = nnUNetTrainer.get_training_transforms(*args, **named)
        if get_allowed_n_proc_DA() == 0:
            for part in composed.transforms:
                if isinstance(getattr(part, "transform", None), GaussianBlurTransform):
                    part.transform.benchmark = False
        return composed

    def print_to_log_file(self, *args: Any, **named: Any) -> None:
        """To the file alone: what a user needs of it is told in a line an epoch."""
        super().print_to_log_file(*args, **named | {"also_print_to_console": False})

    def plot_network_architecture(self) -> None:
        """Left out: it needs a package that is no longer made."""

    def on_train_start(self) -> None:
        super().on_train_start()
        # Later than all that draws random numbers on the way, so that the next epoch is the one it would have been.
        rng.restore(self.restored) if self.restored else rng.seed_all(
            rng.seed_of(self.train_settings.seed, self.fold, 1)
        )

    def on_train_epoch_end(self, train_outputs: list[dict[str, Any]]) -> None:
        super().on_train_epoch_end(train_outputs)
        loss = float(self.logger.get_value("train_losses", step=-1))
        if not math.isfinite(loss):
            raise UserError(
                f"fold {self.fold}: the loss is {loss} in epoch {self.current_epoch + 1}; lower train.lr "
                f"({self.train_settings.lr:g}) and train again"
            )

    def on_validation_epoch_end(self, val_outputs: list[dict[str, Any]]) -> None:
        with np.errstate(invalid="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an organ that is in no patch there is no dice
            super().on_validation_epoch_end(val_outputs)

    def on_epoch_end(self) -> None:
        """Close the epoch; nnU-Net would also keep the best weights so far, which nothing here uses."""
        self.logger.log("epoch_end_timestamps", time.time(), self.current_epoch)
        began, ended = (self.logger.get_value(f"epoch_{end}_timestamps", step=-1) for end in ("start", "end"))
        self.logger.load_checkpoint(_plain(self.logger.get_checkpoint()))  # so that a resumed run rounds the same
        last = self.current_epoch == self.num_epochs - 1
        every = (self.current_epoch + 1) % self.train_settings.checkpoint_every == 0
        late = time.monotonic() - self.saved > SECONDS_BETWEEN_CHECKPOINTS
        if not last and (every or late or self.stop):
            self.save_checkpoint(str(self.folder / LATEST))
        if not last and time.monotonic() - self.drawn > SECONDS_BETWEEN_CHECKPOINTS:
            self._plot()
        row = history(self.logger.get_checkpoint())[-1]
        shown = "  ".join(f"{name} {row[name]:.4g}" for name in COLUMNS if row[name] is not None)
        line = f"fold {self.fold}  epoch {row['epoch']}/{self.num_epochs}  {shown}  {ended - began:.1f} s"
        print(line, file=self.console, flush=True)
        self.print_to_log_file(line)
        self.current_epoch += 1
        if self.stop and not last:
            done = f"{self.current_epoch} of {self.num_epochs}"
            raise UserError(f"fold {self.fold} was asked to stop, and did after epoch {done}; run it again to go on")

    def on_train_end(self) -> None:
        super().on_train_end()
        self._plot()

    def _plot(self) -> None:
        try:
            self.logger.plot_progress_png(self.output_folder)
            self.drawn = time.monotonic()
        except Exception as error:  # a picture is not worth a training
            nnunet.note(f"fold {self.fold}: progress.png could not be drawn ({error})")

    def save_checkpoint(self, filename: str) -> None:
        """nnU-Net's own format, so that its tools can read it, with what else is needed to go on exactly."""
        network = self.network._orig_mod if isinstance(self.network, OptimizedModule) else self.network
        state = {
            "network_weights": network.state_dict(),
            "optimizer_state": self.optimizer.state_dict(),
            "grad_scaler_state": None if self.grad_scaler is None else self.grad_scaler.state_dict(),
            "logging": self.logger.get_checkpoint(),
            "_best_ema": None,
            "current_epoch": self.current_epoch + 1,
            "init_args": self.my_init_kwargs,
            "trainer_name": nnUNetTrainer.__name__,  # its predictor looks for the class by this name
            "inference_allowed_mirroring_axes": self.inference_allowed_mirroring_axes,
            "slipway_random": rng.capture(),
        }
        with replacing(Path(filename)) as partial:
            torch.save(state, partial)
        self.saved = time.monotonic()

    def go_on_from(self, state: dict[str, Any]) -> None:
        """Take up what `save_checkpoint` wrote."""
        network = self.network._orig_mod if isinstance(self.network, OptimizedModule) else self.network
        network.load_state_dict(state["network_weights"])
        self.optimizer.load_state_dict(state["optimizer_state"])
        if self.grad_scaler is not None and state["grad_scaler_state"] is not None:
            self.grad_scaler.load_state_dict(state["grad_scaler_state"])
        self.logger.load_checkpoint(state["logging"])
        self.current_epoch = state["current_epoch"]
        self.restored = state["slipway_random"]


def history(logging: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """A row an epoch of nnU-Net's log; what is no number is None."""
    columns = {name: logging[key] for name, key in COLUMNS.items()}
    done = min(map(len, columns.values()))
    return [
        {"epoch": epoch + 1, **{name: _number(values[epoch]) for name, values in columns.items()}}
        for epoch in range(done)
    ]


def _plain(value: Any) -> Any:
    """Numbers of Python in the place of NumPy's, so that a checkpoint can be loaded without running code."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return float(value) if isinstance(value, np.generic) else value


def _number(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None
