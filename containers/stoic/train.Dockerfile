# The training image. Slipway writes the folder that this builds in; organisers build it by plain `docker build`.

# ---- The same in every image, to the letter: the engine then keeps one torch layer for all of them. ----
ARG BASE=python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b
FROM ${BASE} AS base

# Wheels lie in this stage only. With wheels in the folder no network is asked, without them pip's index is.
# torch/test and torch/bin/test_* are compiled test programs that nothing imports: 130 MB.
FROM base AS torch
COPY wheels/torch/ /wheels/
RUN python -m venv /opt/pip \
    && python -m venv --without-pip /opt/venv \
    && case "$(ls /wheels)" in *.whl*) index="--no-index --find-links /wheels" ;; *) index="" ;; esac \
    && /opt/pip/bin/pip --python /opt/venv/bin/python --no-cache-dir --disable-pip-version-check \
        install --only-binary :all: $index --requirement /wheels/torch.txt \
    && packages=$(/opt/venv/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))") \
    && rm -rf "$packages"/torch/test "$packages"/torch/bin/test_* \
    && echo /opt/deps > "$packages/deps.pth"

FROM torch AS deps
COPY wheels/extra/ /extra/
RUN mkdir /opt/deps \
    && case "$(ls /extra)" in *.whl*) index="--no-index --find-links /extra" ;; *) index="" ;; esac \
    && /opt/pip/bin/pip --no-cache-dir --disable-pip-version-check \
        install --only-binary :all: --no-deps --target /opt/deps $index --requirement /extra/extra.txt

FROM base
COPY --from=torch /opt/venv /opt/venv
# ---- From here on each image goes its own way: user, packages, weights, code, words about itself. ----

RUN groupadd --gid 10001 train \
    && useradd --uid 10001 --gid train --no-log-init --no-create-home --home-dir /tmp train \
    && mkdir -p /opt/app /input /output /scratch \
    && chown train:train /input /output /scratch
COPY --from=deps /opt/deps /opt/deps
WORKDIR /opt/app
COPY weights/ weights/
COPY containers/ containers/
COPY settings.json REVISION ./

# Home is /tmp, so that caches have a place when the root file system is read-only. MONAI asks for the user's name when it
# is imported, and a platform may run any user id.
ENV PATH=/opt/venv/bin:${PATH} \
    PYTHONPATH=/opt/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    LOGNAME=algorithm \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility

# workflow/scripts/submission.py puts the values in, so that a plain `docker build` knows them as well.
ARG BASE_NAME=""
ARG BASE_DIGEST=""
ARG REVISION=""
ARG CONFIG_HASH=""
ARG WEIGHTS_SHA256=""
ARG PACKAGES=""
ENV SLIPWAY_REVISION=${REVISION}
LABEL org.opencontainers.image.title="stoictrain" \
    org.opencontainers.image.base.name="${BASE_NAME}" \
    org.opencontainers.image.base.digest="${BASE_DIGEST}" \
    org.opencontainers.image.revision="${REVISION}" \
    slipway.config="${CONFIG_HASH}" \
    slipway.weights="${WEIGHTS_SHA256}" \
    slipway.packages="${PACKAGES}"

USER train
ENTRYPOINT ["python", "-m", "containers.stoic.main"]
