# shellcheck shell=sh disable=SC2154,SC2034
# Arming, disarming and clearing away the guard of a run. Only a session that was opened to write is ever sent this text.
# One rename decides: armed becomes fired, or disarmed. Whoever's rename works has decided.

fm_place_guard() {
  fm_guards=$fm_store/guard
  fm_timer=fleetmend-guard-$fm_run
  fm_boot_unit=$fm_units/fleetmend-boot-$fm_run.service
  fm_boot_link=$fm_units/multi-user.target.wants/fleetmend-boot-$fm_run.service
}

# fm_do_arm RUN MILLISECONDS INVOCATION UNIT ORDER SCRIPT
fm_do_arm() {
  fm_named "$1" || return 0
  if fm_halted unguarded && [ "$fm_bar" = guardFired ] && [ "$fm_guard" = firing ]; then fm_fire_again; fi
  ! fm_barred unguarded none && fm_need systemd-run systemctl mv rm ln mkdir chmod sync || return 0
  if [ ! -d "$fm_running" ]; then
    fm_result 'failed none missingTool ' 'systemd does not run this node'
    return 0
  fi
  case $2,$4 in
    ,* | *[!0-9],* | *,*[!A-Za-z0-9:_.@\\-]*)
      fm_result 'failed none exit ' 'not a time or not a unit'
      return 0
      ;;
  esac
  fm_place_guard
  fm_put_at=$fm_store/x
  if ! fm_claim || ! fm_lay_guard "$@" || ! fm_lay_boot_unit "$4"; then
    fm_fail_arming
  elif fm_halted unguarded || ! fm_set_off "$2"; then
    fm_fail_arming
  else
    fm_log "arm, fires in $2 ms"
    fm_result now ''
  fi
}

# A guard that was killed at its work is started once more; whoever armed asks how it goes.
fm_fire_again() {
  fm_place_guard
  set -- "$fm_timer.service" "${fm_boot_unit##*/}" "$fm_timer-again.service"
  fm_said=$(fm_limited 15 systemctl is-active -- "$@")
  case $fm_nl$fm_said$fm_nl in *"${fm_nl}active$fm_nl"* | *"${fm_nl}"*ing"$fm_nl"* | "$fm_nl$fm_nl") return 0 ;; esac
  fm_limited 15 systemctl reset-failed -- "$3" >/dev/null
  fm_limited 15 systemd-run --unit="$fm_timer-again" /bin/sh "$fm_guards/script" timer >/dev/null && fm_log 'guard was cut short, started once more'
}

# fm_put PATH TEXT: whole and durable, or not at all; and not by a visit that may not act any more.
fm_put() {
  fm_put_at=$1
  fm_part=${1%/*}/.${1##*/}.part-$fm_nonce
  fm_said=$({ printf %s "$2" >"$fm_part"; } 2>&1)
  fm_rc=$?
  if [ "$fm_rc" = 0 ] && fm_flush "$fm_part" && ! fm_halted unguarded && fm_try mv -f -- "$fm_part" "$1" && fm_flush "${1%/*}"; then return 0; fi
  rm -f -- "$fm_part"
  return 1
}

# The room of `spare` is for what the guard says of itself when it has done its work and the disk is full.
fm_lay_guard() {
  fm_try mkdir -p -- "$fm_guards" && fm_flush "$fm_store" || return 1
  # What an earlier visit was about to put here.
  rm -f -- "$fm_guards"/.*.part-*
  read -r fm_uptime _ </proc/uptime
  read -r fm_boot_id </proc/sys/kernel/random/boot_id
  fm_deadline=$((${fm_uptime%%.*} + ($2 + 999) / 1000))
  fm_put "$fm_guards/script" "$6" && fm_put "$fm_guards/order" "$5" && fm_put "$fm_guards/spare" "$6" &&
    fm_put "$fm_guards/settings" "$4$fm_nl$3$fm_nl$fm_deadline$fm_nl$fm_boot_id$fm_nl$fm_by$fm_nl"
}

# A node that goes down in the middle restores itself at its next start, before the service is there. systemd reads it then.
fm_lay_boot_unit() {
  fm_put_at=$fm_boot_unit
  fm_try mkdir -p -- "${fm_boot_link%/*}" && fm_put "$fm_boot_unit" "[Unit]
Description=Restores what fleetmend run $fm_run changed, unless it was confirmed
RequiresMountsFor=$fm_state
ConditionPathExists=|$fm_guards/armed
ConditionPathExists=|$fm_guards/fired${1:+$fm_nl}${1:+Before=$1}

[Service]
Type=oneshot
ExecStart=/bin/sh $fm_guards/script boot
" || return 1
  fm_try chmod 0644 "$fm_boot_unit" || return 1
  [ -L "$fm_boot_link" ] || fm_try ln -s "../${fm_boot_unit##*/}" "$fm_boot_link" || return 1
  if [ ! -L "$fm_boot_link" ]; then
    fm_said="ln said yes, but there is no $fm_boot_link"
    fm_rc=1
    return 1
  fi
  fm_flush "${fm_boot_link%/*}"
}

# A lost connection may end us at any moment, but not between the end of an old timer and the start of the new one.
fm_set_off() {
  trap '' HUP INT TERM PIPE
  fm_limited 15 systemctl stop "$fm_timer.timer" >/dev/null
  fm_limited 15 systemctl reset-failed "$fm_timer.service" >/dev/null
  fm_put_at=$fm_guards/armed
  [ ! -e "$fm_guards/fired" ] || return 1
  if [ -e "$fm_guards/disarmed" ]; then
    fm_try mv -- "$fm_guards/disarmed" "$fm_guards/armed" && fm_flush "$fm_guards" || return 1
  elif [ ! -e "$fm_guards/armed" ]; then
    fm_put "$fm_guards/armed" '' || return 1
  fi
  fm_said=$(fm_limited 15 systemd-run --unit="$fm_timer" --on-active="${1}ms" --timer-property=AccuracySec=100ms /bin/sh "$fm_guards/script" timer 2>&1)
  fm_rc=$?
  [ "$fm_rc" = 0 ] && fm_timer_runs && fm_guard_state "$fm_run" && [ "$fm_guard" = armed ]
}

# A systemd-run that says yes and starts nothing would leave a guard that never fires.
fm_timer_runs() {
  fm_said=$(fm_limited 15 systemctl is-active "$fm_timer.timer" 2>&1)
  [ "$fm_said" != active ] || return 0
  fm_said="systemd-run said yes, but $fm_timer.timer is not active: $fm_said"
  fm_rc=1
  return 1
}

# Nothing is left armed, unless by a later visit.
fm_fail_arming() {
  fm_why_failed=$fm_said
  fm_code=$fm_rc
  ! fm_barred unguarded none || return 0
  [ ! -e "$fm_guards/armed" ] || fm_try mv -- "$fm_guards/armed" "$fm_guards/disarmed"
  ! fm_barred unguarded none || return 0
  fm_stand_down
  if [ "$fm_guard" = armed ]; then
    fm_result "failed unknown exit $fm_code" "$fm_why_failed; the guard could not be disarmed: $fm_said"
    return 0
  fi
  fm_said=$fm_why_failed
  fm_rc=$fm_code
  fm_fail_by "$fm_put_at"
}

# What is left of a guard that will not fire. What fails of that is no failure: a timer or a boot then finds nothing armed.
fm_stand_down() {
  fm_limited 15 systemctl stop "$fm_timer.timer" >/dev/null
  rm -f -- "$fm_boot_link" "$fm_boot_unit" "$fm_guards/spare"
  fm_flush "$fm_units"
  [ ! -d "${fm_boot_link%/*}" ] || fm_flush "${fm_boot_link%/*}"
}

fm_do_disarm() {
  fm_named "$1" && ! fm_barred back none && fm_need mv rm systemctl || return 0
  fm_place_guard
  if [ "$fm_guard" = armed ] && fm_try mv -- "$fm_guards/armed" "$fm_guards/disarmed"; then
    if ! fm_flush "$fm_guards"; then
      fm_result "failed unknown exit $fm_rc" "$fm_guards: $fm_said"
      return 0
    fi
    fm_stand_down
    rm -f -- "$fm_lock/touched"
    fm_log disarm
    fm_result now ''
    return 0
  fi
  fm_was=$fm_guard
  fm_guard_state "$fm_run"
  case $fm_guard in
    disarmed) fm_result already '' ;;
    fired | firing) fm_result 'failed none guardFired ' "the guard of this run is $fm_guard" ;;
    armed) fm_fail_by "$fm_guards/disarmed" ;;
    none) fm_result 'failed none exit ' "no guard of this run is armed (it was $fm_was)" ;;
  esac
}

fm_do_clean() {
  fm_named "$1" && ! fm_barred back none && fm_need rm date || return 0
  if [ "$fm_guard" = armed ]; then
    fm_result 'failed none guardFired ' 'the guard of this run is armed'
    return 0
  fi
  fm_place_guard
  fm_bury_tombs
  fm_left=
  for fm_entry in "$fm_store"/* "$fm_boot_unit" "$fm_boot_link"; do
    case $fm_entry in "$fm_store"/visit-* | "$fm_store/log") continue ;; esac
    if [ -e "$fm_entry" ] || [ -L "$fm_entry" ]; then fm_left=yes; fi
  done
  rm -f -- "$fm_boot_link" "$fm_boot_unit"
  rm -rf -- "$fm_store"
  if [ -e "$fm_store" ]; then
    fm_rc=1
    fm_said='not all of it could be removed'
    fm_fail_by "$fm_store"
  elif [ -z "$fm_left" ]; then
    fm_result already ''
  else
    fm_log clean
    fm_result now ''
  fi
}

# Nobody who judged such a holder dead is still about to act.
fm_bury_tombs() {
  fm_now=$(date +%s)
  for fm_entry in "$fm_state"/broken-*; do
    [ -d "$fm_entry" ] || continue
    fm_value=$(stat -c %Y -- "$fm_entry")
    [ $((fm_now - ${fm_value:-$fm_now})) -le 86400 ] || rm -rf -- "$fm_entry"
  done
}
