#!/bin/bash
# What the container does: bring the data, set them up, train. The platform runs `/bin/bash /docker-entrypoint.sh`.
#
# From the environment (or .env): DATASET_ID, which data set; OID_ACCESS_TOKEN, S3_HOST and S3_BUCKET_NAME, where it comes
# from. Without these it is used as it lies in /minio/datasets; AGRIGAIA_MINIO stands in for that folder.
# The status is that of the first step that fails. It may be started again (`docker start`).
set -o pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")

stop() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

now() { date +%Y-%m-%dT%H:%M:%S; }

load_environment() { # .env is bash: it is sourced, and what it sets is exported
    local line number=0
    local bare='^[[:space:]]*(export[[:space:]]+)?([A-Za-z_][A-Za-z0-9_]*)=[^][:space:]"'\''#$`\\()[]+[[:space:]]+[^#[:space:]]'
    while IFS= read -r line || [[ -n $line ]]; do
        number=$((number + 1))
        if [[ $line =~ $bare ]]; then stop ".env, line $number: put the value of ${BASH_REMATCH[2]} in quotes, since it has a space"; fi
    done < <(tr -d '\r' <.env)
    if ! bash -n <(tr -d '\r' <.env) 2>/dev/null; then stop ".env is no bash (bash -n .env says where); write lines such as NAME='value'"; fi
    set -a
    # shellcheck source=/dev/null
    source <(tr -d '\r' <.env)
    set +a
}

print_environment() { # secrets stay secret: by their names, and by how tokens and addresses with passwords look
    local name value
    echo ".env:"
    while read -r name; do
        if [[ ! -v $name ]]; then continue; fi
        value=${!name}
        case ${name^^} in *TOKEN* | *SECRET* | *PASS* | *KEY* | *CREDENTIAL* | *AUTH* | *JWT*) value='***' ;; esac
        case $value in eyJ* | *://*:*@*) value='***' ;; esac
        printf '  %s=%s\n' "$name" "${value@Q}"
    done < <(sed -nE 's/^[[:space:]]*(export[[:space:]]+)?([A-Za-z_][A-Za-z0-9_]*)=.*/\2/p' .env)
}

show_data() {
    if command -v tree >/dev/null; then tree "$1"; else find "$1" | sort; fi
}

show_json() { # by what is there; jq ships with the image
    if command -v jq >/dev/null; then jq . "$1"; else python -m json.tool --no-ensure-ascii "$1"; fi
}

set_up() {
    echo "Setup started: $(now)"
    python setup.py && echo "Setup ended: $(now)"
}

train() {
    local options status
    options=$(python config_to_args.py) || return
    echo "Training started: $(now)"
    eval "time python train.py $options"
    status=$?
    if [[ $status -eq 0 ]]; then echo "Training ended: $(now)"; fi
    return "$status"
}

if [[ -s .env ]]; then
    load_environment
    print_environment
fi

if [[ -z ${DATASET_ID:-} ]]; then stop "DATASET_ID is not set; start the container with -e DATASET_ID=<number of the data set>"; fi
export DATASET_ID
datasets=${AGRIGAIA_MINIO:-/minio/datasets}
if [[ $DATASET_ID == */* || $DATASET_ID == . || $DATASET_ID == .. ]]; then
    stop "DATASET_ID '$DATASET_ID' is no name of a folder; give the one below $datasets"
fi

printf '%s' "${OID_ACCESS_TOKEN:-}" |
    /bin/bash "$here/mount-s3.sh" -t - -s "${S3_HOST:-}" -b "${S3_BUCKET_NAME:-}" -m "$(dirname -- "$datasets")" ||
    echo "warning: no data set came from S3 (mount-s3.sh ended with status $?); training goes on with what is in $datasets/$DATASET_ID" >&2

show_data "$datasets/$DATASET_ID"
if command -v nvidia-smi >/dev/null; then nvidia-smi -L; fi
if [[ -s export_config.json ]]; then
    echo "Export configuration:"
    show_json export_config.json
fi

set_up && show_json train_config.json && train
