"""The challenge's contract, filled in with its names; no rules.

In: NAMES, the values of the `{team}`-like words of the contract. Out: CONTRACT, its file; CONTRACTED, its images; NAMING, flags for programs.
"""

from workflow.scripts.slipway.contract import load

CONTRACT = here("containers", config["challenge"], "contract.yaml")
NAMING = [f"--name={word}={value}" for word, value in NAMES.items()]

with ends_with_error():
    CONTRACTED = load(Path(CONTRACT), NAMES).images
