# shellcheck shell=sh disable=SC2154,SC2034
# Activations: only a session that was opened to write is ever sent this text.

fm_do_daemonReload() { fm_activate "$2" "$1" daemon-reload; }
fm_do_restart() { fm_activate "$3" "$1" restart -- "$2"; }
fm_do_resetFailed() { fm_activate "$3" "$1" reset-failed -- "$2"; }

# fm_activate RUN MILLISECONDS VERB...: RUN is empty when no file of a run was touched yet, as far as the controller knows.
# What remains between the last look at the claims and systemd: the start of systemctl. Nothing calls that back.
fm_activate() {
  fm_run=$1
  fm_time=$((($2 + 999) / 1000))
  shift 2
  fm_since=
  if ! command -v systemctl >/dev/null; then
    fm_result 'failed none missingTool ' 'this node has no systemctl'
    return 0
  fi
  case $fm_run in
    '' | [!A-Za-z0-9]* | *[!A-Za-z0-9._-]*) ;;
    *)
      fm_store=$fm_state/$fm_run
      # A full disk is no reason to leave a service down: without a claim of its own it still makes way for later ones.
      fm_claim || :
      ;;
  esac
  if fm_superseded; then
    fm_make_way none
    return 0
  fi
  fm_try fm_limited "$fm_time" systemctl --no-pager --no-ask-password "$@"
  case $fm_rc in
    0)
      fm_log "systemctl $*"
      fm_result now ''
      ;;
    124 | 137) fm_result 'failed unknown timeout ' "systemctl $1 did not end within $fm_time s" ;;
    *) fm_result "failed unknown exit $fm_rc" "systemctl $*: $fm_said" ;;
  esac
}
