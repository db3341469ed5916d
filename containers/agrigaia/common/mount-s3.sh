#!/bin/bash
# Bring the platform's bucket to where the data sets are looked for: mount it, or fetch the data set without FUSE.
#
#   printf %s "$TOKEN" | ./mount-s3.sh -t - -s http://minio:9000 -b agri -m /minio
#
# -t  web identity token; `-` reads it from standard input, so that no list of processes shows it
# -s  S3 server, -b bucket, -m folder that the bucket is to appear in
#
# The token buys temporary credentials (AssumeRoleWithWebIdentity), kept as the profile `dataset` of ~/.aws/credentials.
# S3_MODE=mount mounts the bucket with s3fs, S3_MODE=sync fetches datasets/$DATASET_ID of it with boto3; by default it is
# mounted where that can be done, and else fetched. S3_ROLE_ARN names a role to servers that want one;
# S3_DURATION_SECONDS asks for credentials of another life than a week.
#
# Exit: 1 no options, 2 unknown option, 3 option without its value, 4 no credentials (locally there are none: ignore it),
# 5 options or credentials are incomplete, 6 neither mounted nor fetched.
set -uo pipefail
here=$(dirname -- "$(readlink -f -- "$0")")

say() { printf '%s\n' "$*" >&2; }

program() { # one of ours: it lies beside this script or in the working folder
    local folder
    for folder in "$here" "$PWD"; do
        if [[ -f $folder/$1 ]]; then
            printf '%s' "$folder/$1"
            return
        fi
    done
    say "Error: $1 is neither in $here nor in $PWD; put it beside mount-s3.sh."
    exit 6
}

if [[ $# -eq 0 ]]; then
    say "Usage: mount-s3.sh -t TOKEN|- -s S3_HOST -b BUCKET -m MOUNTPOINT"
    exit 1
fi
token='' host='' bucket='' mountpoint=''
while getopts ':t:s:b:m:' option; do
    case $option in
        t) token=$OPTARG ;;
        s) host=$OPTARG ;;
        b) bucket=$OPTARG ;;
        m) mountpoint=$OPTARG ;;
        :)
            say "Error: option -$OPTARG has no value; give it one."
            exit 3
            ;;
        *)
            say "Error: there is no option -$OPTARG; the options are -t, -s, -b and -m."
            exit 2
            ;;
    esac
done
if [[ $token == - ]]; then
    token=$(cat)
elif [[ -n $token ]]; then # start again without it, for the list of processes
    exec "$BASH" "$0" -t - -s "$host" -b "$bucket" -m "$mountpoint" < <(printf '%s' "$token")
fi
export -n OID_ACCESS_TOKEN 2>/dev/null

no_credentials() {
    say "Error: S3 server '$host' did not return S3 credentials for given OIDC access token.${1:+ It said: $1}"
    exit 4
}

if [[ -z $host || -z $token ]]; then no_credentials "${host:+nothing, for OID_ACCESS_TOKEN is empty; the platform gives it.}"; fi
if [[ -z $bucket || -z $mountpoint ]]; then
    say "Error: incomplete options: -b (S3_BUCKET_NAME) and -m must name the bucket and the folder for it."
    exit 5
fi
if [[ $host != *://* ]]; then host=http://$host; fi
host=${host%/}
mountpoint=$(readlink -m -- "$mountpoint")
mode=${S3_MODE:-auto}
if [[ $mode != auto && $mode != mount && $mode != sync ]]; then
    say "Error: S3_MODE is '$mode'; set it to mount or sync, or leave it out."
    exit 5
fi
home=$(getent passwd "$(id -u)" | cut -d : -f 6) # s3fs asks this place, whatever HOME is
if [[ $mode == sync || -z $home ]]; then home=${HOME:-$home}; fi
export HOME=$home
credentials=$home/.aws/credentials

mounted() { # whether s3fs has the folder
    local place kind
    while read -r _ place kind _; do
        if [[ $kind == fuse.s3fs && $(printf '%b' "$place") == "$mountpoint" ]]; then return 0; fi
    done </proc/mounts
    return 1
}

alive() { mounted && timeout 60 ls -- "$mountpoint" >/dev/null 2>&1 && mounted; }

assume() { # the server's answer to the token, or what went wrong on the way to it
    local words=(--data Action=AssumeRoleWithWebIdentity --data Version=2011-06-15 --data RoleSessionName=dataset)
    if [[ -n $1 ]]; then words+=(--data "DurationSeconds=$1"); fi
    if [[ -n ${S3_ROLE_ARN:-} ]]; then words+=(--data-urlencode "RoleArn=$S3_ROLE_ARN"); fi
    printf '%s' "$token" | curl --silent --globoff --proto '=http,https' --connect-timeout 10 --max-time 60 \
        --retry 2 --write-out '%{errormsg}' --data-urlencode 'WebIdentityToken@-' "${words[@]}" "$host/" 2>/dev/null
}

get_credentials() {
    local keeper said answer status seconds end
    keeper=$(program s3_credentials.py) || exit
    # Not every server gives a week: then half a day, then what it gives unasked.
    for seconds in "${S3_DURATION_SECONDS:-604800}" 43200 ''; do
        if ! answer=$(assume "$seconds"); then
            said="nothing (curl: ${answer:0:300}); check S3_HOST"
            status=4
            break
        fi
        said=$(printf '%s' "$answer" | python "$keeper" keep --host "$host" --file "$credentials")
        status=$?
        if [[ $status -ne 4 || ${said,,} != *duration* ]]; then break; fi
    done
    said=${said//"$token"/(the token)}
    case $status in
        0) say "S3 credentials for $host are good until $said" ;;
        4) # A container that is started again has the token of its first start, which is too old by then.
            if ! end=$(python "$keeper" kept --host "$host" --file "$credentials"); then no_credentials "$said"; fi
            say "S3 server $host refused the token ($said); the credentials of an earlier start are good until $end"
            ;;
        5)
            say "Error: incomplete S3 credentials from '$host', which lack: $said."
            exit 5
            ;;
        *) exit 6 ;; # the program has said why
    esac
}

mount_bucket() {
    if mounted; then fusermount -u -z "$mountpoint"; fi # what is left of an s3fs that has ended
    mkdir -p -- "$mountpoint" || return
    s3fs "$bucket" "$mountpoint" -o "host=$host" -o profile=dataset -o parallel_count=8 -o multipart_size=128 \
        -o use_path_request_style -o allow_other || return
    alive # s3fs looks for the bucket after it has gone to the background
}

fetch() {
    local fetcher
    fetcher=$(program sync_s3.py) || exit
    python "$fetcher" --host "$host" --bucket "$bucket" --dataset "${DATASET_ID:-}" --mount "$mountpoint" || exit 6
}

if alive; then
    say "Bucket is already mounted at $mountpoint"
    exit 0
fi
get_credentials
if [[ $mode == auto && -e $mountpoint/datasets/.${DATASET_ID:-}.sync ]]; then mode=sync; fi # as at the first start
if [[ $mode == auto && (! -c /dev/fuse || -z $(command -v s3fs)) ]]; then
    say "Note: no FUSE here (/dev/fuse, s3fs); the data set is fetched instead"
    mode=sync
fi
if [[ $mode == sync ]]; then
    fetch
elif mount_bucket; then
    say "Bucket $bucket of $host is mounted at $mountpoint"
elif [[ $mode == auto ]]; then
    say "Note: s3fs did not mount bucket $bucket at $mountpoint; the data set is fetched instead"
    fetch
else
    say "Error: s3fs did not mount bucket '$bucket' of $host at $mountpoint; check S3_BUCKET_NAME, and give the container" \
        "--privileged, --cap-add SYS_ADMIN and --device /dev/fuse."
    exit 6
fi
