"""From code and artifact to verified archives: the stages that every challenge shares.

In: IMAGES, which the challenge's module defines before it includes this file. It maps the name of an image in contract.yaml to
    folder        its folder in the submission
    entry         the modules that run in it; they ship with all that they import
    settings      what is baked into it as settings.json
    artifact      the folder of trained weights that it ships, or nothing
    weights       a file of pretrained weights that it ships, or nothing
    data          a manifest whose `root` is mounted as its input when it is tested
    made          the folder that its output goes to when it is tested
    test          further words for the test: scratch, time limit, environment
    profiles      which profiles of the contract it must pass
    reloaded      True where the organisers load the archive and run it again, so that the saved file is tried once more
    requirements  further files of Python packages that what is configured needs (optional, as are those that follow)
    args          values that the Dockerfile's ARGs have by default
    leave         names of the artifact's files that this image does not need
    context, base the folder that it is built from, and the record of the image that it begins with, where they are not the usual ones
    needs         further files that the test's words name
    NAMES, the values of the `{team}`-like words of its contract,
    and REPORTED, the folders of trained artifacts whose card.json the report shows.
Out: <results>/<image>/{image,verdict}.json, <results>/submission/<folder>, <results>/<archive>.tar.gz and <results>/report.html
"""

# What organisers get beside the archives.
HANDED = [*[f"<results>/submission/{shipped['folder']}" for shipped in IMAGES.values()], "<results>/submission/LICENSE"]


include: "contracted.smk"
include: "wheels.smk"
include: "folder.smk"
include: "engine.smk"
include: "reload.smk"
include: "stages.smk"
