# shellcheck shell=sh disable=SC2154,SC2034
# Frames and words of the host protocol. For dash, bash and busybox sh.
# The lines before this text set fm_nonce, fm_state, fm_units, fm_running, fm_properties and PATH; a request's values never
# become part of the text. Every operation's input is /dev/null: ours holds the next requests.
export PATH LC_ALL=C
umask 077
set -u
# What an rc file may have exported and a tool of ours would obey: options only before operands, quoted names, proxies.
unset IFS CDPATH POSIXLY_CORRECT QUOTING_STYLE GREP_OPTIONS http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
cd /
fm_nl='
'
fm_end=":$fm_nonce:$fm_nl"

# A request: fm NONCE SEQ op arg... -- op arg... NONCE. A line that was cut lacks its last word and does nothing.
fm() {
  [ "$#" -ge 4 ] && [ "$1" = "$fm_nonce" ] || return 0
  for fm_last do :; done
  [ "$fm_last" = "$fm_nonce" ] || return 0
  fm_seq=$2
  shift 2
  fm_alive
  fm_out=$(fm_operations "$@" </dev/null 2>/dev/null | base64)
  fm_alive
  printf '\nfm-begin-%s %s %s\n%s\nfm-end-%s %s ' "$fm_nonce" "$fm_seq" "${#fm_out}" "$fm_out" "$fm_nonce" "$fm_seq"
  printf %s "$fm_out" | sha256sum
  fm_out=
}

# What a visit that may write makes a sign of life of.
fm_alive() { :; }

fm_operations() {
  while [ "$#" -gt 0 ]; do
    fm_first "$@"
    shift "$fm_used"
  done
}

# Runs the first operation of the words; fm_used: how many words it took, with the one that ends it.
fm_first() {
  fm_op=$1
  shift
  fm_count=0
  for fm_word do
    case $fm_word in [+=]*) fm_count=$((fm_count + 1)) ;; *) break ;; esac
  done
  fm_used=$((fm_count + 2))
  fm_rest=$(($# - fm_count))
  while [ "$fm_count" -gt 0 ]; do
    fm_decode "$1"
    shift
    set -- "$@" "$fm_value"
    fm_count=$((fm_count - 1))
  done
  shift "$fm_rest"
  if command -v "fm_do_$fm_op" >/dev/null; then "fm_do_$fm_op" "$@"; else fm_no failed 'this session was not taught that operation'; fi
}

# +text or =BASE64. The x keeps a newline at the end.
fm_decode() {
  case $1 in
    =*)
      fm_value=$(printf %s "${1#=}" | base64 -d && printf x)
      fm_value=${fm_value%x}
      ;;
    *) fm_value=${1#+} ;;
  esac
}

fm_field() { printf '%s%s' "$1" "$fm_end"; }

fm_no() {
  fm_field "no $1"
  fm_field "$2"
}

# fm_limited SECONDS COMMAND...: ends it where the node has the tool for that; the controller's deadline holds anyway.
fm_limited() {
  fm_seconds=$1
  shift
  if command -v timeout >/dev/null; then timeout -k 5 "$fm_seconds" "$@"; else command "$@"; fi
}

# fm_capture BYTES SECONDS COMMAND...: its output into fm_value, its exit code into fm_exit (empty: the output was cut).
fm_capture() {
  fm_bytes=$1
  shift
  fm_value=$({
    fm_limited "$@" 2>&1
    printf '%sfm-exit %s' "$fm_nl" "$?"
  } | head -c "$fm_bytes")
  # Digits at the end first: to look for the last of something longer costs dash a second at 64 KiB.
  fm_exit=${fm_value##*[!0-9]}
  case $fm_value in
    *"${fm_nl}fm-exit $fm_exit") fm_value=${fm_value%"${fm_nl}fm-exit $fm_exit"} ;;
    *) fm_exit= ;;
  esac
}

# The effective user, without starting anything.
fm_own_uid() {
  while read -r fm_key _ fm_value _; do
    [ "$fm_key" != Uid: ] || return 0
  done </proc/self/status
  fm_value=$(id -u)
}

for fm_tool in base64 sha256sum stat cat readlink head; do
  command -v "$fm_tool" >/dev/null || {
    printf 'this node has no %s\n' "$fm_tool" >&2
    exit 96
  }
done
