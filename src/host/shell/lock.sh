# shellcheck shell=sh disable=SC2154,SC2034
# Who works on the node, and whether this visit may act. Only a session that was opened to write is ever sent this text.
# Having one's own file in the lock is holding it: whoever takes it over or breaks it removes or moves that file.

# A sign of life of the holder. Starts no program, and goes on where there is no room.
fm_alive() { [ ! -e "$fm_lock/visit-$fm_nonce" ] || printf '' 2>/dev/null >"$fm_lock/beat"; }

# fm_named RUN: fails (and has answered) when that is no name of a run.
fm_named() {
  fm_run=$1
  fm_store=$fm_state/$1
  fm_by=
  fm_since=
  fm_said=
  fm_rc=1
  fm_is_run "$1" || {
    fm_result 'failed none exit ' 'not a name of a run'
    return 1
  }
}

# fm_need TOOL...: fails (and has answered) when the node lacks one.
fm_need() {
  for fm_tool do
    command -v "$fm_tool" >/dev/null || {
      fm_result 'failed none missingTool ' "this node has no $fm_tool"
      return 1
    }
  done
}

fm_holds() {
  fm_read_holder "$fm_lock"
  fm_by=$fm_who
  [ -e "$fm_lock/visit-$fm_nonce" ] && [ "$fm_holder" = "$fm_run" ]
}

# fm_guard_forbids guarded|unguarded|back
fm_guard_forbids() {
  fm_guard_state "$fm_run"
  case $1,$fm_guard in
    guarded,armed) return 1 ;;
    guarded,* | *,firing | unguarded,fired) return 0 ;;
    *) return 1 ;;
  esac
}

# fm_halted WAY: this visit may not act (any more); why into fm_bar and fm_reason. Starts no program: nothing here can wait.
fm_halted() {
  if fm_superseded; then
    fm_bar=superseded
    fm_reason='a later visit of this run has taken its place on this node; this one goes no further'
  elif ! fm_holds; then
    fm_bar=notLocked
    fm_reason="nobody holds this node"
    [ -z "$fm_holder" ] || fm_reason="run $fm_holder of $fm_who holds this node, not this visit"
  elif fm_guard_forbids "$1"; then
    fm_bar=guardFired
    fm_reason="the guard of this run is $fm_guard"
  else
    return 1
  fi
}

# fm_barred WAY none|unknown: the same, and has answered.
fm_barred() {
  fm_halted "$1" || return 1
  fm_result "failed $2 $fm_bar " "$fm_reason"
}

fm_do_lock() {
  fm_named "$1" && fm_need mkdir mv rm sync date || return 0
  case $3,$4 in
    ,* | *, | *[!A-Za-z0-9_,-]* | *,*[!0-9]*)
      fm_result 'failed none exit ' 'not a session or not a time'
      return 0
      ;;
  esac
  fm_from=
  if fm_find_armed "$fm_run"; then
    fm_guarded
    return 0
  fi
  fm_read_holder "$fm_lock"
  if [ -d "$fm_lock" ] && [ "$fm_holder" != "$fm_run" ]; then
    if ! fm_breakable; then
      fm_locked
      return 0
    fi
    fm_from="run ${fm_holder:-unknown} of ${fm_who:-unknown}, silent for $fm_silent s"
  fi
  # Without room for a claim a lock of this run is still taken over: what its earlier visits do ends with their files in it.
  if ! fm_claim && [ "$fm_holder" != "$fm_run" ]; then
    fm_fail_by "$fm_store/x"
  elif fm_superseded; then
    fm_result 'failed none superseded ' 'a later visit of this run has taken its place on this node'
  elif [ "$fm_holder" = "$fm_run" ] && [ -e "$fm_lock/visit-$fm_nonce" ]; then
    fm_result already ''
  elif [ "$fm_holder" = "$fm_run" ] && [ -d "$fm_lock" ]; then
    fm_move_in "$2" "$3" "$4"
  elif [ -n "$fm_from" ] && ! fm_break_stale; then
    fm_locked
  elif fm_try mkdir -- "$fm_lock"; then
    # Armed between the look at its holder and the end of that lock. From here on nobody but us arms.
    if fm_find_armed "$fm_run"; then
      rmdir -- "$fm_lock"
      fm_guarded
    else
      fm_move_in "$2" "$3" "$4"
    fi
  elif [ -d "$fm_lock" ]; then
    fm_read_holder "$fm_lock"
    fm_locked
  else
    fm_fail_by "$fm_lock"
  fi
}

fm_guarded() {
  case $fm_guard in firing) fm_guard='at work' ;; esac
  fm_result 'failed none locked ' "the guard of run $fm_armed is $fm_guard"
}

# A lock gets its name a moment after it was made: whoever comes in between waits for it, to say who holds the node.
fm_locked() {
  fm_left=2
  while [ -z "$fm_holder" ] && [ -d "$fm_lock" ] && [ "$fm_left" -gt 0 ]; do
    fm_left=$((fm_left - 1))
    sleep 1
    fm_read_holder "$fm_lock"
  done
  fm_silence "$fm_lock"
  fm_result 'failed none locked ' "run ${fm_holder:-unknown} of ${fm_who:-unknown}, silent for $fm_silent s"
}

# The lock of another run, as it was read: silent for too long, and nothing of it is in the middle.
fm_breakable() {
  fm_silence "$fm_lock"
  [ $((fm_silent * 1000)) -gt "$fm_stale" ] || return 1
  fm_guard_state "$fm_holder"
  if [ -n "$fm_touched" ]; then
    [ "$fm_guard" = fired ] && fm_read_done && [ "$fm_verdict" = ok ]
  else
    case $fm_guard in armed | firing) return 1 ;; esac
  fi
}

# Of those who judged the same holder dead one wins: what it moves away is kept under that holder's session. Whoever won
# may have ended before it moved anything, and a session may come back after it was broken: so when what is kept is older
# than that holder may be silent, it is won anew, once for each age that it is seen with.
fm_break_stale() {
  fm_tomb=$fm_state/broken-${fm_session:-none-$(stat -c %Y -- "$fm_lock")}
  fm_value=$(stat -c %Y -- "$fm_tomb")
  if [ -n "$fm_value" ]; then
    [ $(((fm_now - fm_value) * 1000)) -gt "$fm_stale" ] || return 1
    fm_tomb=$fm_tomb/again-$fm_value
  fi
  fm_try mkdir -- "$fm_tomb" && fm_take_down "$fm_tomb/lock" "$fm_holder/$fm_session/$fm_touched"
}

# fm_take_down PLACE WHOSE [FILE]: moves the lock away, if it is still the one that was judged, with that file in it. One
# that came to life between our look and the rename is put back; until then its visits get notLocked.
fm_take_down() {
  fm_still "$fm_lock" "$2" && [ -e "$fm_lock/${3:-}" ] || return 1
  fm_try mv -- "$fm_lock" "$1" || return 1
  fm_still "$1" "$2" && [ -e "$1/${3:-}" ] && return 0
  [ -e "$fm_lock" ] || fm_try mv -- "$1" "$fm_lock"
  return 1
}

# fm_still DIRECTORY RUN/SESSION/TOUCHED, or an asterisk in place of the last.
fm_still() {
  fm_read_holder "$1"
  [ "$2" = "$fm_holder/$fm_session/$fm_touched" ] || [ "$2" = "$fm_holder/$fm_session/*" ]
}

# fm_move_in WHO SESSION STALE: into the lock that we made or that is our run's. By its inode: who breaks it now moves it
# away under us, and what we write is in nobody's way. Visits of one run that come at once: whoever put its file there had
# taken the run's place before, so a look at that, after the names were read, spares the file of a later one.
fm_move_in() {
  for fm_turn in first second third; do
    cd -P "$fm_lock" || break
    fm_read_holder .
    if [ -n "$fm_holder" ] && [ "$fm_holder" != "$fm_run" ]; then break; fi
    fm_old=$fm_holder
    fm_said=$({ printf '' >"visit-$fm_nonce"; } 2>&1)
    fm_rc=$?
    if [ "$fm_rc" != 0 ]; then
      cd /
      fm_fail_by "$fm_lock/x"
      return 0
    fi
    for fm_other in visit-*; do
      if fm_superseded; then
        rm -f -- "visit-$fm_nonce"
        break 2
      fi
      [ "$fm_other" = "visit-$fm_nonce" ] || rm -f -- "$fm_other"
    done
    # On a full disk the line of an earlier visit of our run must do.
    if ! fm_write_holder "$@" && [ -z "$fm_old" ]; then
      rm -f -- "visit-$fm_nonce"
      cd /
      fm_fail_by "$fm_lock/x"
      rmdir -- "$fm_lock"
      return 0
    fi
    printf '' >beat
    cd /
    if fm_superseded; then break; fi
    if fm_holds; then
      fm_by=$1
      fm_log "lock${fm_from:+, taken from }$fm_from"
      fm_result now "${fm_from:+taken from }$fm_from"
      return 0
    fi
  done
  cd /
  if fm_superseded; then
    fm_result 'failed none superseded ' 'a later visit of this run has taken its place on this node'
  else
    fm_read_holder "$fm_lock"
    fm_locked
  fi
}

fm_write_holder() {
  fm_said=$({ printf '%s\n' "$fm_run" "$1" "$2" "$3" "$(date +%s)" >"holder-$fm_nonce"; } 2>&1)
  fm_rc=$?
  if [ "$fm_rc" = 0 ] && fm_flush "holder-$fm_nonce" && ! fm_superseded && fm_try mv -f -- "holder-$fm_nonce" holder; then return 0; fi
  rm -f -- "holder-$fm_nonce"
  return 1
}

# From here on the node is in the middle, as far as others can tell. Durable before the change that it tells of.
fm_mark_touched() {
  [ ! -e "$fm_lock/touched" ] || return 0
  fm_said=$({ printf '' >"$fm_lock/touched"; } 2>&1)
  fm_rc=$?
  [ "$fm_rc" = 0 ] && fm_flush "$fm_lock/touched" && fm_flush "$fm_lock" && fm_flush "$fm_state"
}

fm_do_unlock() {
  fm_named "$1" && fm_need mv rm || return 0
  fm_read_holder "$fm_lock"
  if [ ! -d "$fm_lock" ] || [ "$fm_holder" != "$fm_run" ]; then
    fm_result already ''
    return 0
  fi
  fm_by=$fm_who
  if [ ! -e "$fm_lock/visit-$fm_nonce" ]; then
    fm_unheld
  elif fm_take_down "$fm_state/broken-$fm_nonce" "$fm_run/$fm_session/*" "visit-$fm_nonce"; then
    rm -rf -- "$fm_state/broken-$fm_nonce"
    fm_log unlock
    fm_result now ''
  elif [ ! -e "$fm_lock/visit-$fm_nonce" ]; then
    fm_unheld
  else
    fm_fail_by "$fm_lock"
  fi
}

fm_unheld() { fm_result 'failed none notLocked ' 'a later visit of this run holds this node, or nobody'; }

# A person decided. The tombstone tells those who just judged the same holder that they are too late.
fm_do_breakLock() {
  fm_need mkdir mv rm || return 0
  fm_said=
  fm_rc=1
  fm_read_holder "$fm_lock"
  if [ ! -d "$fm_lock" ]; then
    fm_result already ''
  elif [ "$fm_session" != "$1" ]; then
    fm_locked
  else
    fm_run=${fm_holder:-unknown}
    fm_by=${fm_who:-unknown}
    fm_store=$fm_state/$fm_run
    fm_tomb=$fm_state/broken-${1:-none}
    fm_try mkdir -p -- "$fm_tomb"
    if [ -d "$fm_tomb" ] && fm_take_down "$fm_tomb/lock-$fm_nonce" "$fm_holder/$1/*"; then
      fm_log 'breakLock: a person took this lock away'
      fm_result now ''
    else
      fm_fail_by "$fm_lock"
    fi
  fi
}
