# shellcheck shell=sh disable=SC2154,SC2034
# Activations: only a session that was opened to write is ever sent this text.

fm_do_daemonReload() { fm_activate "$2" "$3" "$1" daemon-reload; }
fm_do_restart() { fm_activate "$3" "$4" "$1" restart -- "$2"; }
fm_do_resetFailed() { fm_activate "$3" "$4" "$1" reset-failed -- "$2"; }

# fm_activate RUN WAY MILLISECONDS VERB...
# What remains between the last look and systemd: the start of systemctl. Nothing calls that back.
fm_activate() {
  fm_named "$1" && ! fm_barred "$2" none && fm_need systemctl || return 0
  fm_way=$2
  fm_time=$((($3 + 999) / 1000))
  shift 3
  # A full disk is no reason to leave a service down: without a claim of its own it still makes way for later ones.
  fm_claim || :
  ! fm_barred "$fm_way" none || return 0
  fm_said=$(fm_limited "$fm_time" systemctl --no-pager --no-ask-password "$@" 2>&1)
  fm_rc=$?
  case $fm_rc in
    0)
      fm_log "systemctl $*"
      fm_result now ''
      ;;
    124 | 137) fm_result 'failed unknown timeout ' "systemctl $1 did not end within $fm_time s" ;;
    # Whoever reads it names the act.
    *) fm_result "failed unknown exit $fm_rc" "$fm_said" ;;
  esac
}
