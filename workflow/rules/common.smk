"""Helpers that every rule module includes; no rules."""

import json
from pathlib import Path

from containers.kit.errors import ends_with_error
from workflow.scripts.remote import table
from workflow.scripts.slipway.sources import closure

ROOT = Path(workflow.basedir)
TITLE = config.get("challenge", "slipway")  # what a job's line on the terminal begins with


def code(*entries):
    """The files of this repository that these programs are made of: an edit to one of them reruns the rule."""
    with ends_with_error():
        return [str(ROOT / path) for path in closure(ROOT, *entries)]


def here(*parts):
    """A file of this repository, wherever Snakemake runs."""
    return str(ROOT.joinpath(*parts))


def settings(**sections):
    """JSON of config sections as a parameter; a function, since Snakemake would read braces as wildcards."""
    text = json.dumps(sections, sort_keys=True)
    return lambda wildcards: text


def cards(wildcards, input):
    """The model cards of the artifacts that a report is about."""
    return [str(Path(folder, "card.json")) for folder in input.artifact]


def reloaded(wildcards, input):
    """The verdicts on archives that were loaded back, each under a name of its own in the report."""
    return [f"{Path(path).parent.name}, loaded from its archive={path}" for path in input.reloaded]


def pretrained(wildcards, input):
    """The words that tell a program where the weights are that it begins with."""
    return [f"--weights={record}" for record in input.weights]


def there(file):
    """A user's own file as input, so that a new one is noticed; where it is missing the rule itself says so."""
    return lambda wildcards: [file] if Path(file).is_file() else []


def of_table(weights, key):
    """The words that tell where `remote:NAME` of the table of sources is, and whether its licence is agreed to."""
    name = weights.removeprefix("remote:")
    words = []
    if name != weights:
        with ends_with_error():
            licence = table.weights(config["weights_table"], name, key).licence
        accepted = [one for one in config["accept"] if licence and one == licence.name]
        words = [f"--table={json.dumps({name: config['weights_table'][name]}, sort_keys=True)}", "--accept", *accepted]
    return lambda wildcards: words
