# What the template's image stands on here: the tools and the Python packages that its Dockerfile would fetch, so that it builds with no
# network. workflow/scripts/agrigaia/ground.py makes the folder that this builds in, and names the base and the tools.

ARG BASE=python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b
FROM ${BASE} AS base

# A base that was made here has the tools already; only a public one asks Debian's mirror for them.
ARG TOOLS=""
RUN missing=""; \
    for tool in $TOOLS; do dpkg-query --show "$tool" >/dev/null 2>&1 || missing="$missing $tool"; done; \
    if [ -n "$missing" ]; then \
        apt-get update \
        && apt-get install --yes --no-install-recommends $missing \
        && apt-get clean \
        && rm -rf /var/lib/apt/lists/*; \
    fi

# Wheels lie in this stage only. torch/test and torch/bin/test_* are compiled test programs that nothing imports: 130 MB.
FROM base AS packages
COPY wheels/ /wheels/
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip --no-cache-dir --disable-pip-version-check install --only-binary :all: --no-deps --no-index \
        --find-links /wheels/torch --find-links /wheels/extra \
        --requirement /wheels/torch/torch.txt --requirement /wheels/extra/extra.txt \
    && packages=$(/opt/venv/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))") \
    && rm -rf "$packages"/torch/test "$packages"/torch/bin/test_*

FROM base
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:${PATH}
CMD ["python"]
