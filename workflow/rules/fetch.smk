"""The raw data: had at hand in whatever way the source says, and looked at before anything is made of them.

In: FETCHED, further words for the challenge's fetch program. Out: <scratch>/raw/manifest.json and <scratch>/raw/fingerprint.json
"""

ROW = config["row"]
# Only what concerns this challenge, so that another licence in the list runs nothing again.
ACCEPTED = [name for name in config["accept"] if name == ROW.get("licence", {}).get("name")]

SAID = [] if config["source"] == "demo" else [f"--row={json.dumps(ROW, sort_keys=True)}"]

# What stages wait for that take the data apart; that the check itself is done anew is no reason to do them anew.
SOUND = ancient("<scratch>/raw/fingerprint.json")


rule fetch:
    """Have the raw data at hand: make the demo's, check a folder and use it in place, or fetch what `remote` is."""
    input:
        code=code(f"workflow/scripts/{config['challenge']}/fetch.py"),
    output:
        manifest="<scratch>/raw/manifest.json",
    log:
        "<logs>/fetch.log",
    conda:
        here("envs", "prepare.yaml")
    threads: 16
    params:
        challenge=config["challenge"],
        source=config["source"],
        demo=settings(**config["demo"]),
        row=lambda wildcards: SAID,  # functions, since Snakemake would read braces as wildcards
        accept=ACCEPTED,
        further=lambda wildcards: FETCHED,
        folder=subpath(output.manifest, parent=True),
    message:
        f"{TITLE}: have the raw data at hand"
    shell:
        r"""
        python -m workflow.scripts.{params.challenge}.fetch \
            --source {params.source:q} \
            --demo {params.demo:q} \
            {params.row:q} \
            --accept {params.accept:q} \
            {params.further:q} \
            --scratch {params.folder:q} \
            --workers {threads} \
            --manifest {output.manifest:q} \
            2>&1 | tee {log:q}
        """


rule inspect:
    """Read the raw data, or a sample, as whoever uses them will; write down what they are."""
    input:
        code=code(f"workflow/scripts/{config['challenge']}/inspect.py"),
        manifest="<scratch>/raw/manifest.json",
    output:
        fingerprint="<scratch>/raw/fingerprint.json",
    log:
        "<logs>/inspect.log",
    conda:
        here("envs", "prepare.yaml")
    threads: 16
    params:
        challenge=config["challenge"],
        read=config["check"]["read"],
    message:
        f"{TITLE}: read the raw data to see that they are sound"
    shell:
        r"""
        python -m workflow.scripts.{params.challenge}.inspect \
            --manifest {input.manifest:q} \
            --read {params.read} \
            --workers {threads} \
            --output {output.fingerprint:q} \
            2>&1 | tee {log:q}
        """
