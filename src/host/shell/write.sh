# shellcheck shell=sh disable=SC2154
# Edits and restores: only a session that was opened to write is ever sent this text.
# `effect: none` is claimed only after the target was looked at again.

# fm_begin RUN WAY PATH BEFORE AFTER: fails (and has answered) when nothing may be done.
fm_begin() {
  fm_named "$1" || return 1
  fm_way=$2
  fm_path=$3
  fm_before=$4
  fm_after=$5
  fm_dir=${fm_path%/*}
  fm_dir=${fm_dir:-/}
  fm_temp=
  fm_calm=
  fm_placed=none
  fm_content=
  fm_kept=
  case $fm_before,$fm_after in
    , | *[!A-Za-z0-9,]*)
      fm_result 'failed none exit ' 'not a digest'
      return 1
      ;;
  esac
  ! fm_barred "$fm_way" none && fm_need mktemp mv cp rm ln mkdir chmod chown touch sync || return 1
  fm_id=$(printf %s "$fm_path" | sha256sum)
  fm_id=${fm_id%% *}
  # One copy per content the file had, so that two edits of one file by one run can both be undone.
  fm_copy=$fm_store/$fm_id-$fm_before
  # No loader reads the names: a leading dot, and six random characters after the last dot.
  fm_stem="$fm_dir/.fleetmend-$fm_run-$fm_id."
  fm_own="$fm_stem$fm_nonce."
  trap fm_sweep EXIT
  trap 'exit 143' HUP INT TERM
  fm_digest "$fm_path"
  fm_found=$fm_value
  fm_claim || {
    fm_hold_off
    return
  }
  ! fm_barred "$fm_way" none || return 1
  fm_clear_way
}

fm_sweep() { rm -rf -- "$fm_own"*; }

# What an earlier visit of this run left beside the file. Every change of the target needs its temporary file, so an
# earlier visit that is about to make one cannot any more; what it has made is seen by looking only now.
fm_clear_way() {
  fm_look_at_time
  rm -rf -- "$fm_stem"*
  fm_note_time
  fm_digest "$fm_path"
  fm_found=$fm_value
}

# The run's place could not be taken (a full disk). That ends an edit. An undo goes on when no other visit has been
# here, since what stops us stops an earlier one too. What remains: such a one, if there is room again when it wakes.
fm_hold_off() {
  if [ "$fm_op" = restore ] && ! fm_disputed; then
    fm_clear_way
  elif [ "$fm_op" = restore ]; then
    fm_result 'failed unknown denied ' "an earlier visit may still be at work: $fm_said"
    return 1
  else
    fm_give_up "$fm_store/x" denied
    return 1
  fi
}

fm_drifted() {
  fm_result 'failed none drift ' "$fm_path is $fm_value; expected $fm_before or $fm_after"
}

# fm_give_up PLACE REASON: PLACE is where it failed. The reason is found by looking at the node, never by a tool's words;
# REASON holds when nothing is found. The effect is none when the file is what it was.
fm_give_up() {
  ! fm_barred "$fm_way" "$fm_placed" || return 0
  [ -z "$fm_calm" ] || fm_look_at_time
  fm_sweep
  fm_note_time
  fm_reason=$2
  fm_detail=
  if fm_hindrance "$1" "$((${#fm_content} + 8192))"; then
    case $fm_why in readOnlyMount | mountPoint) fm_reason=readOnly ;; *) fm_reason=$fm_why ;; esac
  else
    fm_own_uid
    [ "$fm_value" = 0 ] || fm_reason=denied
  fi
  fm_digest "$fm_path"
  fm_effect=unknown
  [ "$fm_value" != "$fm_found" ] || [ "$fm_value" = other ] || fm_effect=none
  if [ "$fm_op,$fm_effect,$fm_found" = "edit,none,$fm_before" ]; then fm_put_time_back; fi
  fm_result "failed $fm_effect $fm_reason $fm_rc" "$fm_path: $fm_detail${fm_detail:+; }$fm_said"
}

# A temporary file beside the target, or a directory (-d). Not by a visit that was given up: it would be in the way.
fm_open_temp() {
  if fm_halted "$fm_way" || ! fm_try mktemp "$@" "${fm_own}XXXXXX"; then return 1; fi
  fm_temp=$fm_said
  fm_note_time
}

# With the target's mode, owner and attributes (busybox, whose cp cannot: mode and owner).
fm_prepare() {
  fm_open_temp || return 1
  if [ "$fm_before" = absent ]; then
    fm_try chmod 0644 "$fm_temp" || return 1
    [ "$fm_me" != 0 ] || fm_try chown 0:0 "$fm_temp"
    return
  fi
  case $(cp --help 2>&1) in
    *--attributes-only*) fm_try cp --attributes-only --preserve=all -- "$fm_path" "$fm_temp" ;;
    *) fm_try chown "$(stat -c '%u:%g' -- "$fm_path")" "$fm_temp" && fm_try chmod "$(stat -c '%a' -- "$fm_path")" "$fm_temp" ;;
  esac || return 1
  fm_rc=1
  fm_said='the temporary file did not get the mode and owner of the file'
  fm_same '%f %u %g' "$fm_path" "$fm_temp"
}

fm_pour() {
  fm_said=$({ printf %s "$fm_content" | fm_limited 50 base64 -d >"$fm_temp"; } 2>&1)
  fm_rc=$?
  [ "$fm_rc" = 0 ] || return 1
  fm_sealed "$fm_after"
}

# The temporary file holds what it should, durably.
fm_sealed() {
  fm_digest "$fm_temp"
  fm_rc=1
  fm_said="the temporary file has digest $fm_value, not $1"
  [ "$fm_value" = "$1" ] || return 1
  fm_flush "$fm_temp"
}

# Somebody wrote the target since we looked, or this visit may not act any more: then it has answered. Last before the change.
fm_overtaken() {
  fm_digest "$fm_path"
  if [ "$fm_value" != "$fm_found" ]; then
    fm_drifted
  else
    fm_barred "$fm_way" none
  fi
}

# The rename, only if the target is still what it was. A link never replaces what came up meanwhile, so a new file is linked.
fm_place() {
  if [ "$fm_found" = absent ]; then
    fm_try ln -T -- "$fm_temp" "$fm_path" || return 1
    rm -f -- "$fm_temp"
  elif ! fm_try mv -f -T -- "$fm_temp" "$fm_path"; then
    [ -e "$fm_temp" ] && [ ! -d "$fm_path" ] || return 1
    fm_try mv -f -- "$fm_temp" "$fm_path" || return 1
  fi
  fm_placed=unknown
  fm_note_time
  fm_flush "$fm_dir"
}

# Moved into a directory of our own, which a later visit can sweep away under us (fm_clear_way). Without room for one
# directly: then a visit that is held between its last look and this could still remove what a later one found.
fm_take_away() {
  if [ -n "$fm_temp" ]; then
    fm_try mv -f -- "$fm_path" "$fm_temp/gone" || return 1
    rm -rf -- "$fm_temp"
  else
    fm_try rm -f -- "$fm_path" || return 1
  fi
  fm_placed=unknown
  fm_note_time
  fm_flush "$fm_dir"
}

# fm_confirm DIGEST: reads back and answers. An edited file has the mode and owner of the copy, a restored one its time too.
fm_confirm() {
  fm_digest "$fm_path"
  fm_format='%f %u %g'
  [ "$1" != "$fm_before" ] || fm_format='%f %u %g %Y'
  if [ "$fm_value" != "$1" ]; then
    fm_result 'failed unknown drift ' "$fm_path is $fm_value right after it became $1"
  elif [ "$1" != absent ] && [ "$fm_before" != absent ] && ! fm_same "$fm_format" "$fm_copy" "$fm_path"; then
    fm_result 'failed unknown exit ' "$fm_path has the right content, but not the mode, owner or time of $fm_copy"
  else
    [ "$fm_op" = edit ] || fm_put_time_back
    fm_log "$fm_op $fm_path, now $1${fm_kept:+; }$fm_kept"
    fm_result now "$fm_kept"
  fi
}

# fm_do_edit RUN WAY write|remove PATH BEFORE AFTER [CONTENT]
fm_do_edit() {
  fm_begin "$1" "$2" "$4" "$5" "$6" || return 0
  fm_content=${7:-}
  case $fm_found in
    "$fm_after")
      if fm_is_ours; then fm_result already ''; else fm_result 'failed none drift ' "$fm_path is what it should become, but not by this run"; fi
      return 0
      ;;
    "$fm_before") ;;
    *)
      fm_drifted
      return 0
      ;;
  esac
  if [ ! -d "$fm_dir" ]; then
    fm_result 'failed none drift ' "$fm_dir is not a directory"
  elif ! fm_save || ! fm_mark_touched; then
    fm_give_up "$fm_copy" exit
  elif [ "$3" = remove ]; then
    fm_remove
  elif ! fm_prepare || ! fm_pour; then
    fm_give_up "$fm_path" exit
  elif fm_overtaken; then
    return 0
  elif ! fm_place; then
    fm_give_up "$fm_path" exit
  else
    fm_confirm "$fm_after"
  fi
}

fm_remove() {
  fm_open_temp -d || fm_temp=
  if fm_overtaken; then
    return 0
  elif ! fm_take_away; then
    fm_give_up "$fm_path" exit
  else
    fm_confirm absent
  fi
}
