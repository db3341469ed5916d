"""By which the platform knows a model's file."""

from __future__ import annotations

ONNX = ".onnx"
PICKLED = (".pt", ".pth")
SCRIPTED = ".torchscript"
OTHERS = (".plan", ".graphdef", ".tf")  # TensorRT's and TensorFlow's, which are not opened here
SUFFIXES = (*PICKLED, SCRIPTED, ONNX, *OTHERS)
