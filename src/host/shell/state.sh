# shellcheck shell=sh disable=SC2154,SC2034
# Questions about who holds the node and what the guard of a run is doing. Looks only.
fm_lock=$fm_state/lock

# fm_read_holder DIRECTORY: the lines of a lock. Empty ones, and five minutes, when its maker came no further than the
# directory. What is no name is left out, as the controller does it (names.ts): it would become a path or a line of a log.
fm_read_holder() {
  fm_holder=
  fm_who=
  fm_session=
  fm_stale=
  fm_taken=
  if [ -f "$1/holder" ]; then
    {
      IFS= read -r fm_holder
      IFS= read -r fm_who
      IFS= read -r fm_session
      IFS= read -r fm_stale
      IFS= read -r fm_taken
    } <"$1/holder"
  fi
  fm_is_run "$fm_holder" || fm_holder=
  case $fm_who in *[!A-Za-z0-9._@-]*) fm_who= ;; esac
  case $fm_session in *[!A-Za-z0-9_-]*) fm_session= ;; esac
  [ "${#fm_who}" -le 130 ] || fm_who=
  [ "${#fm_session}" -le 64 ] || fm_session=
  case $fm_stale in '' | *[!0-9]* | ????????????????*) fm_stale=300000 ;; esac
  case $fm_taken in *[!0-9]* | ????????????????*) fm_taken= ;; esac
  fm_touched=
  [ ! -e "$1/touched" ] || fm_touched=touched
}

# What may be the name of a run. Its directory lies beside the lock and what is left of broken ones.
fm_is_run() {
  case $1 in lock | broken-* | '' | [!A-Za-z0-9]* | *[!A-Za-z0-9._-]*) return 1 ;; esac
  [ "${#1}" -le 64 ]
}

# fm_silence DIRECTORY: seconds since its last sign of life into fm_silent, by the node's own clock.
fm_silence() {
  fm_value=
  for fm_entry in "$1/beat" "$1/holder" "$1"; do
    if fm_value=$(stat -c %Y -- "$fm_entry"); then break; fi
  done
  fm_now=$(date +%s)
  fm_silent=$((fm_now - ${fm_value:-$fm_now}))
  [ "$fm_silent" -ge 0 ] || fm_silent=0
}

# fm_guard_state RUN, into fm_guard. Twice: a rename between two looks shows neither of its names.
fm_guard_state() {
  fm_guard=none
  fm_is_run "$1" || return 0
  fm_guards=$fm_state/$1/guard
  for fm_turn in first second; do
    if [ -e "$fm_guards/done" ] && [ -e "$fm_guards/fired" ]; then
      fm_guard=fired
    elif [ -e "$fm_guards/fired" ]; then
      fm_guard=firing
    elif [ -e "$fm_guards/armed" ]; then
      fm_guard=armed
    elif [ -e "$fm_guards/disarmed" ]; then
      fm_guard=disarmed
    else
      continue
    fi
    return 0
  done
}

# fm_find_armed RUN: another run whose guard is armed or at work, into fm_armed. It may yet change this node.
fm_find_armed() {
  for fm_entry in "$fm_state"/*/guard; do
    fm_armed=${fm_entry%/guard}
    fm_armed=${fm_armed##*/}
    [ "$fm_armed" != "$1" ] || continue
    fm_guard_state "$fm_armed"
    case $fm_guard in armed | firing) return 0 ;; esac
  done
  fm_armed=
  return 1
}

# What a guard that has fired left: fm_verdict, ok or failed, and fm_report.
fm_read_done() {
  fm_verdict=
  fm_report=
  {
    IFS= read -r fm_verdict
    while IFS= read -r fm_line; do fm_report=$fm_report$fm_line$fm_nl; done
  } <"$fm_guards/done"
  [ "$fm_verdict" = ok ] || fm_verdict=failed
}

# Milliseconds until an armed guard fires into fm_left; empty when its timer ended with an earlier life of the node.
fm_read_deadline() {
  fm_left=
  fm_armed_boot=
  {
    IFS= read -r fm_line
    IFS= read -r fm_line
    IFS= read -r fm_deadline
    IFS= read -r fm_armed_boot
  } <"$fm_guards/settings"
  read -r fm_boot_id </proc/sys/kernel/random/boot_id
  [ "$fm_armed_boot" = "$fm_boot_id" ] || return 0
  read -r fm_uptime _ </proc/uptime
  fm_left=$(((fm_deadline - ${fm_uptime%%.*}) * 1000))
  [ "$fm_left" -ge 0 ] || fm_left=0
}

# The state directory is root's: who may not enter it cannot tell.
fm_unseen_state() {
  fm_blocked "$fm_lock" || return 1
  fm_no denied "$fm_state may not be entered"
}

fm_do_lockState() {
  if ! command -v date >/dev/null; then
    fm_no missingTool date
    return 0
  fi
  fm_text=
  fm_holder=
  if [ -d "$fm_lock" ]; then
    fm_read_holder "$fm_lock"
    fm_silence "$fm_lock"
    fm_held=$((fm_now - ${fm_taken:-$((fm_now - fm_silent))}))
    [ "$fm_held" -ge 0 ] || fm_held=0
    fm_guard_state "$fm_holder"
    fm_verdict=
    [ "$fm_guard" != fired ] || fm_read_done
    # Given back while we looked: then nobody holds the node.
    if [ -d "$fm_lock" ]; then
      fm_text=$(printf '%s\n' '' "$fm_holder" "$fm_session" "$((fm_held * 1000))" "$((fm_silent * 1000))" "$fm_stale" "$fm_touched" "$fm_guard" "$fm_verdict" "$fm_who")
    else
      fm_holder=
    fi
  elif fm_unseen_state; then
    return 0
  fi
  fm_find_armed "$fm_holder" || :
  fm_field ok
  fm_field "$fm_armed$fm_text"
}

fm_do_guardState() {
  ! fm_unseen_state || return 0
  fm_guard_state "$1"
  fm_left=
  fm_verdict=
  fm_report=
  case $fm_guard in
    armed) fm_read_deadline ;;
    fired) fm_read_done ;;
  esac
  fm_field ok
  fm_field "$fm_guard $fm_left $fm_verdict"
  fm_field "$fm_report"
}
