# shellcheck shell=sh disable=SC2154,SC2034
# The guard of a run, as it lies on the node beside its order. It needs no controller, and can be cut short anywhere: it
# then goes on at the next start of the node. Started as `/bin/sh RUN/guard/script timer|boot`; the text before this is a
# visit's, and what follows takes the place of what only a visit has: a lock, others to make way for, a reader of its answers.
fm_guards=${0%/*}
fm_store=${fm_guards%/*}
fm_run=${fm_store##*/}
fm_by='unknown (guard)'

fm_holds() { :; }
fm_superseded() { return 1; }
fm_guard_forbids() { return 1; }
fm_mark_touched() { :; }
fm_named() { [ "$1" = "$fm_run" ]; }
fm_hold_off() { fm_clear_way; }
fm_result() { printf '%s%s%s' "$1" "$fm_nl" "$2"; }

# fm_guard_main timer|boot
fm_guard_main() {
  read -r fm_nonce </proc/sys/kernel/random/uuid || return 0
  fm_place_guard
  fm_unit=
  fm_invocation=
  if [ -f "$fm_guards/settings" ]; then
    {
      IFS= read -r fm_unit
      IFS= read -r fm_invocation
      IFS= read -r fm_line
      IFS= read -r fm_line
      IFS= read -r fm_line
    } <"$fm_guards/settings"
    fm_by="$fm_line (guard)"
  fi
  if fm_try mv -- "$fm_guards/armed" "$fm_guards/fired"; then
    fm_flush "$fm_guards"
    fm_log "guard fired ($1)"
  else
    fm_guard_state "$fm_run"
    case $fm_guard in
      firing) fm_log "guard goes on ($1)" ;;
      fired)
        fm_forget_boot
        return 0
        ;;
      *) return 0 ;;
    esac
  fi
  fm_verdict=ok
  fm_report=
  while IFS= read -r fm_task; do
    fm_do_task "$1" </dev/null
  done <"$fm_guards/order"
  fm_conclude
  fm_forget_boot
  fm_log "guard is through: $fm_verdict"
}

fm_forget_boot() {
  rm -f -- "$fm_boot_link" "$fm_boot_unit"
  fm_flush "$fm_units"
}

# One line of the order. All are done, even when one fails.
fm_do_task() {
  fm_when=$1
  set -f
  # shellcheck disable=SC2086
  set -- $fm_task
  set +f
  case $1 in
    restore)
      fm_decode "$5"
      fm_note "restore $fm_value" "$(fm_first "$@" end 2>/dev/null)"
      ;;
    daemonReload) fm_note daemonReload "$(fm_first "$@" end 2>/dev/null)" ;;
    restart)
      fm_decode "$3"
      fm_target=$fm_value
      if fm_may_stay "$fm_when"; then
        fm_report="${fm_report}restart $fm_target: not needed$fm_nl"
      elif [ "$fm_when" = boot ]; then
        # systemd waits for us before it goes on: to wait for it would be for ever.
        fm_limited 20 systemctl reset-failed -- "$fm_target" >/dev/null 2>&1
        fm_said=$(fm_limited 20 systemctl --no-block restart -- "$fm_target" 2>&1)
        fm_rc=$?
        if [ "$fm_rc" = 0 ]; then fm_note "restart $fm_target" now; else fm_note "restart $fm_target" "failed unknown exit $fm_rc$fm_nl$fm_said"; fi
      else
        fm_limited 20 systemctl reset-failed -- "$fm_target" >/dev/null 2>&1
        fm_note "restart $fm_target" "$(fm_first "$@" end 2>/dev/null)"
      fi
      ;;
  esac
}

# The unit still lives the life it had before anything was touched; or the node starts, and it will start after us.
fm_may_stay() {
  fm_show=$fm_nl$(fm_limited 20 systemctl show --no-pager -p ActiveState,InvocationID -- "$fm_target")$fm_nl
  fm_active=${fm_show#*"${fm_nl}ActiveState="}
  fm_active=${fm_active%%"$fm_nl"*}
  case $1,$fm_active in
    boot,inactive) return 0 ;;
    *,active) ;;
    *) return 1 ;;
  esac
  [ -n "$fm_invocation" ] || return 1
  case $fm_show in *"${fm_nl}InvocationID=$fm_invocation$fm_nl"*) return 0 ;; esac
  return 1
}

# fm_note WHAT OUTCOME: the first line of an outcome says how it went, as in an answer to a controller.
fm_note() {
  fm_how=${2%%"$fm_nl"*}
  fm_detail=
  case $2 in *"$fm_nl"*) fm_detail=${2#*"$fm_nl"} ;; esac
  case $fm_how in
    now | already) ;;
    *)
      fm_verdict=failed
      fm_how=${fm_how#failed * }
      fm_how="failed ${fm_how%% *}"
      ;;
  esac
  fm_flatten "$1: $fm_how${fm_detail:+ }$fm_detail"
  fm_report=$fm_report$fm_value$fm_nl
}

# On one line, into fm_value.
fm_flatten() {
  fm_value=
  set -f
  IFS=$fm_nl
  for fm_line in $1; do fm_value="$fm_value${fm_value:+ }$fm_line"; done
  unset IFS
  set +f
}

# Without it the guard counts as still at work, and does all again at the next start.
fm_conclude() {
  fm_put "$fm_guards/done" "$fm_verdict$fm_nl$fm_report" || {
    rm -f -- "$fm_guards/spare"
    fm_put "$fm_guards/done" "$fm_verdict$fm_nl$fm_report"
  }
}

fm_guard_main "${1:-timer}" </dev/null
