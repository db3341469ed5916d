# The image that evaluates with ONNX Runtime on the CPU: no torch, about a third of the size. Slipway writes the folder that this
# builds in; organisers build it by plain `docker build`.

ARG BASE=python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b
FROM ${BASE} AS base

# Wheels lie in this stage only. With wheels in the folder no network is asked, without them pip's index is.
# What goes afterwards is never imported here: numpy's tests, and ONNX Runtime's tools for changing models.
FROM base AS deps
COPY wheels/extra/ /extra/
RUN python -m venv /opt/pip \
    && python -m venv --without-pip /opt/venv \
    && case "$(ls /extra)" in *.whl*) index="--no-index --find-links /extra" ;; *) index="" ;; esac \
    && /opt/pip/bin/pip --python /opt/venv/bin/python --no-cache-dir --disable-pip-version-check \
        install --only-binary :all: --no-deps --no-compile $index --requirement /extra/extra.txt \
    && packages=$(/opt/venv/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))") \
    && find "$packages/numpy" -name tests -prune -exec rm -rf {} + \
    && rm -rf "$packages"/onnxruntime/transformers "$packages"/onnxruntime/tools "$packages"/onnxruntime/quantization

FROM base
COPY --from=deps /opt/venv /opt/venv

# The template's command, for who works inside.
RUN mkdir -p /input /output \
    && printf '%s\n' '#!/opt/venv/bin/python' 'from containers.objectnet.objectnet_eval import main' '' 'raise SystemExit(main())' \
        > /usr/local/bin/objectnet_eval.py \
    && chmod 755 /usr/local/bin/objectnet_eval.py

# Weights lie outside the code's folder, so that other code may be mounted over it, and in a layer below it.
COPY artifact/ /opt/artifact/
WORKDIR /workspace
COPY containers/ containers/
COPY settings.json REVISION ./

# Home is /tmp, so that caches have a place when the root file system is read-only.
ENV PATH=/opt/venv/bin:${PATH} \
    PYTHONPATH=/workspace \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp

# As in the organisers' template: docker build --build-arg MODEL_CLASS_NAME=... --build-arg MODEL_CHECKPOINT=<file in artifact/>
# Slipway fills the defaults in: the network that was chosen and what the configuration says. 0 leaves the choice to the program.
ARG MODEL_CLASS_NAME=""
ARG MODEL_CHECKPOINT=""
ARG WORKERS=""
ARG BATCH_SIZE=""
ENV MODEL_CLASS_NAME=${MODEL_CLASS_NAME} \
    MODEL_PATH=/opt/artifact/${MODEL_CHECKPOINT} \
    WORKERS=${WORKERS} \
    BATCH_SIZE=${BATCH_SIZE}

# workflow/scripts/submission.py puts the values in, so that a plain `docker build` knows them as well.
ARG BASE_NAME=""
ARG BASE_DIGEST=""
ARG REVISION=""
ARG CONFIG_HASH=""
ARG WEIGHTS_SHA256=""
ARG PACKAGES=""
ENV SLIPWAY_REVISION=${REVISION}
LABEL org.opencontainers.image.title="ObjectNet, without torch" \
    org.opencontainers.image.base.name="${BASE_NAME}" \
    org.opencontainers.image.base.digest="${BASE_DIGEST}" \
    org.opencontainers.image.revision="${REVISION}" \
    slipway.config="${CONFIG_HASH}" \
    slipway.weights="${WEIGHTS_SHA256}" \
    slipway.packages="${PACKAGES}"

# Root, unlike Slipway's other images: the organisers mount an output folder that they may not have opened to other users.
# The program itself needs no right of root's; the strict profile runs it as user 10001.
ENTRYPOINT ["python", "-m", "containers.objectnet.launch"]
