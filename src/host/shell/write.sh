# shellcheck shell=sh disable=SC2154
# Effects: only a session that was opened to write is ever sent this text.
# `effect: none` is claimed only after the target was looked at again.

fm_result() {
  fm_field "effect $1"
  fm_field "$2"
}

# fm_try COMMAND...: its words into fm_said, its exit code into fm_rc.
fm_try() {
  fm_said=$("$@" 2>&1)
  fm_rc=$?
  return "$fm_rc"
}

# What is at a path, into fm_value: a digest, absent, or other (a link, no regular file, not readable).
fm_digest() {
  fm_value=other
  if [ -L "$1" ]; then
    return 0
  elif [ -f "$1" ]; then
    fm_value=$(sha256sum <"$1")
    fm_value=${fm_value%% *}
    [ -n "$fm_value" ] || fm_value=other
  elif [ ! -e "$1" ]; then
    fm_value=absent
  fi
}

# Makes a file or a directory's entries durable. A `sync` that takes no file fails on / too; then everything is synced.
fm_flush() {
  fm_try sync "$1" && return 0
  sync / && return 1
  sync
}

# fm_begin RUN PATH BEFORE AFTER: fails (and has answered) when nothing may be done.
fm_begin() {
  fm_run=$1
  fm_path=$2
  fm_before=$3
  fm_after=$4
  fm_dir=${fm_path%/*}
  fm_dir=${fm_dir:-/}
  fm_temp=
  fm_content=
  case $fm_run,$fm_before,$fm_after in
    [!A-Za-z0-9]* | *[!A-Za-z0-9.,_-]*)
      fm_result 'failed none exit ' 'not a name of a run or not a digest'
      return 1
      ;;
  esac
  for fm_tool in mktemp mv cp rm ln mkdir chmod chown sync; do
    command -v "$fm_tool" >/dev/null || {
      fm_result 'failed none missingTool ' "this node has no $fm_tool"
      return 1
    }
  done
  fm_id=$(printf %s "$fm_path" | sha256sum)
  fm_id=${fm_id%% *}
  fm_store=$fm_state/$fm_run
  # One copy per content the file had, so that two edits of one file by one run can both be undone.
  fm_copy=$fm_store/$fm_id-$fm_before
  fm_stem="$fm_dir/.fleetmend-$fm_run-$fm_id."
  trap fm_sweep EXIT
  trap 'exit 143' HUP INT TERM
  # What a killed visit of this run left beside the file.
  fm_sweep
  fm_digest "$fm_path"
  fm_found=$fm_value
}

# No loader reads the names: a leading dot, and six random characters after the last dot.
fm_sweep() { rm -f -- "$fm_stem"*; }

fm_drifted() {
  fm_result 'failed none drift ' "$fm_path is $fm_value; expected $fm_before or $fm_after"
}

# fm_give_up PLACE REASON: PLACE is where it failed. The reason is found by looking at the node, never by a tool's words;
# REASON holds when nothing is found. The effect is none when the file is what it was.
fm_give_up() {
  fm_sweep
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
  fm_result "failed $fm_effect $fm_reason $fm_rc" "$fm_path: $fm_detail${fm_detail:+; }$fm_said"
}

# The run's directory: root's alone. Refuses one that anybody else made.
fm_open_store() {
  fm_own_uid
  fm_me=$fm_value
  for fm_level in "$fm_state" "$fm_store"; do
    if [ ! -e "$fm_level" ] && [ ! -L "$fm_level" ]; then fm_try mkdir -p -- "$fm_level" || return 1; fi
    fm_rc=1
    fm_said="$fm_level is not a directory that only its owner, uid $fm_me, can enter"
    [ ! -L "$fm_level" ] && [ -d "$fm_level" ] || return 1
    [ "$(stat -c '%u %a' -- "$fm_level")" = "$fm_me 700" ] || return 1
  done
}

# Saves the old file once, with its mode, owner, attributes and times; never over an existing copy.
fm_save() {
  [ "$fm_before" != absent ] || return 0
  if [ ! -e "$fm_copy" ]; then
    rm -f -- "$fm_copy.part"
    fm_try cp -a -- "$fm_path" "$fm_copy.part" || return 1
    fm_said="the copy of $fm_path is not what the file was"
    fm_digest "$fm_copy.part"
    [ "$fm_value" = "$fm_before" ] || return 1
    fm_flush "$fm_copy.part" || return 1
    fm_meta=$(stat -c '%a %u %g %.9Y' -- "$fm_path")
    printf '%s %s %s %s\n' "$fm_before" "$fm_after" "$fm_meta" "$fm_path" >"$fm_copy.meta" || return 1
    fm_try mv -f -- "$fm_copy.part" "$fm_copy" || return 1
    fm_flush "$fm_store" || return 1
  fi
  fm_digest "$fm_copy"
  fm_rc=1
  fm_said="the saved copy $fm_copy is damaged"
  [ "$fm_value" = "$fm_before" ]
}

# A temporary file beside the target, with the target's mode, owner and attributes (busybox: mode and owner).
fm_prepare() {
  fm_try mktemp "${fm_stem}XXXXXX" || return 1
  fm_temp=$fm_said
  if [ "$fm_before" = absent ]; then
    fm_try chmod 0644 "$fm_temp" || return 1
    [ "$fm_me" != 0 ] || fm_try chown 0:0 "$fm_temp"
    return
  fi
  ! fm_try cp --attributes-only --preserve=all -- "$fm_path" "$fm_temp" || return 0
  fm_try chown "$(stat -c '%u:%g' -- "$fm_path")" "$fm_temp" && fm_try chmod "$(stat -c '%a' -- "$fm_path")" "$fm_temp"
}

fm_pour() {
  fm_said=$({ printf %s "$fm_content" | base64 -d >"$fm_temp"; } 2>&1)
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

# The rename, only if the target is still what it was. A link never replaces what came up meanwhile, so a new file is linked.
fm_place() {
  if [ "$fm_found" = absent ]; then
    fm_try ln -T -- "$fm_temp" "$fm_path" || return 1
    rm -f -- "$fm_temp"
  elif ! fm_try mv -f -T -- "$fm_temp" "$fm_path"; then
    [ -e "$fm_temp" ] && [ ! -d "$fm_path" ] || return 1
    fm_try mv -f -- "$fm_temp" "$fm_path" || return 1
  fi
  fm_flush "$fm_dir"
}

# fm_confirm DIGEST: reads back and answers.
fm_confirm() {
  fm_digest "$fm_path"
  if [ "$fm_value" = "$1" ]; then
    fm_log "$fm_op $fm_path, now $1"
    fm_result now ''
  else
    fm_result 'failed unknown drift ' "$fm_path is $fm_value right after it became $1"
  fi
}

fm_log() {
  if [ -d "${fm_store:-}" ]; then printf '%s\n' "$1" >>"$fm_store/log"; fi
  ! command -v logger >/dev/null || logger -t fleetmend -- "${fm_run:-}${fm_run:+: }$1"
}

# fm_do_edit RUN write|remove PATH BEFORE AFTER [CONTENT]
fm_do_edit() {
  fm_begin "$1" "$3" "$4" "$5" || return 0
  fm_content=${6:-}
  case $fm_found in
    "$fm_after")
      fm_result already ''
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
  elif ! fm_open_store; then
    fm_give_up "$fm_store/x" denied
  elif ! fm_save; then
    fm_give_up "$fm_copy" exit
  elif [ "$2" = remove ]; then
    fm_remove
  elif ! fm_prepare || ! fm_pour; then
    fm_give_up "$fm_path" exit
  elif fm_moved; then
    fm_drifted
  elif ! fm_place; then
    fm_give_up "$fm_path" exit
  else
    fm_confirm "$fm_after"
  fi
}

# Somebody wrote the target since we looked first.
fm_moved() {
  fm_digest "$fm_path"
  [ "$fm_value" != "$fm_found" ]
}

fm_remove() {
  if fm_moved; then
    fm_drifted
  elif ! fm_try rm -f -- "$fm_path" || ! fm_flush "$fm_dir"; then
    fm_give_up "$fm_path" exit
  else
    fm_confirm absent
  fi
}

# fm_do_restore RUN write|remove PATH BEFORE AFTER
fm_do_restore() {
  fm_begin "$1" "$3" "$4" "$5" || return 0
  case $fm_found in
    "$fm_before") fm_result already '' ;;
    "$fm_after")
      if [ "$fm_before" = absent ]; then fm_remove; else fm_bring_back; fi
      ;;
    *) fm_drifted ;;
  esac
}

fm_bring_back() {
  fm_digest "$fm_copy"
  if [ "$fm_value" != "$fm_before" ]; then
    fm_result 'failed none missingCopy ' "the saved copy $fm_copy is $fm_value"
  elif ! fm_try mktemp "${fm_stem}XXXXXX"; then
    fm_give_up "$fm_path" exit
  else
    fm_temp=$fm_said
    if ! fm_try cp -a -- "$fm_copy" "$fm_temp" || ! fm_sealed "$fm_before"; then
      fm_give_up "$fm_path" exit
    elif fm_moved; then
      fm_drifted
    elif ! fm_place; then
      fm_give_up "$fm_path" exit
    elif [ "$(stat -c '%f %u %g %Y' -- "$fm_copy")" != "$(stat -c '%f %u %g %Y' -- "$fm_path")" ]; then
      fm_result 'failed unknown exit ' "$fm_path has its content back, but not its mode, owner or time"
    else
      fm_confirm "$fm_before"
    fi
  fi
}

fm_do_daemonReload() { fm_activate "$1" daemon-reload; }
fm_do_restart() { fm_activate "$1" restart -- "$2"; }
fm_do_resetFailed() { fm_activate "$1" reset-failed -- "$2"; }

# fm_activate MILLISECONDS VERB...
fm_activate() {
  fm_time=$((($1 + 999) / 1000))
  shift
  if ! command -v systemctl >/dev/null; then
    fm_result 'failed none missingTool ' 'this node has no systemctl'
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
