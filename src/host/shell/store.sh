# shellcheck shell=sh disable=SC2154,SC2034
# The run's directory on the node: whose turn it is, the saved copies, the times of directories.
# Part of what only a session that was opened to write is ever sent.

# Every program that an effect starts comes to an end, where the node has the tool for that (an old busybox has another).
if timeout -k 5 50 true >/dev/null 2>&1; then
  for fm_tool in stat sha256sum mktemp mv cp rm rmdir ln mkdir chmod chown touch sync cat date; do
    if command -v "$fm_tool" >/dev/null; then eval "$fm_tool() { timeout -k 5 50 $fm_tool \"\$@\"; }"; fi
  done
fi

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

# Takes the run's place on the node. A visit that the controller gave up may still be held by a disk or a tool and wake
# later; it must do nothing then. So every visit first leaves a file of its own, named by boot, start of its shell and
# nonce, and none acts once there is one of a shell that started after its own. Files of their own, not one that is
# overwritten: a visit that wakes before it came this far must not take the place back.
fm_claim() {
  fm_since=
  fm_rc=1
  fm_said='the start of this shell cannot be read from /proc'
  fm_ticks_of "$$" && read -r fm_boot_id </proc/sys/kernel/random/boot_id || return 1
  fm_since=$fm_value
  fm_claims=$fm_store/visit-$fm_boot_id-
  fm_open_store || return 1
  fm_own_claim=$fm_claims$fm_since-$fm_nonce
  [ -e "$fm_own_claim" ] || fm_said=$({ printf '' >"$fm_own_claim"; } 2>&1)
  fm_rc=$?
  [ "$fm_rc" = 0 ]
}

# A visit that began after ours has taken the run's place. Starts no program: nothing here can wait.
fm_superseded() {
  [ -n "$fm_since" ] || return 1
  for fm_entry in "$fm_claims"*; do
    fm_start=${fm_entry#"$fm_claims"}
    fm_start=${fm_start%-*}
    case $fm_start in '' | *[!0-9]*) continue ;; esac
    [ "$fm_start" -le "$fm_since" ] || return 0
  done
  return 1
}

# Another visit has left its file here.
fm_disputed() {
  for fm_entry in "$fm_store"/visit-*; do
    case $fm_entry in *-"$fm_nonce" | *'-*') ;; *) return 0 ;; esac
  done
  return 1
}

# Before the first change: the old file once, with its mode, owner, attributes and times; never over an existing copy.
# Of a file that is to be created, a line that says so. After either, what is found there may be ours.
fm_save() {
  fm_keep_time
  if [ "$fm_before" = absent ]; then
    fm_write_meta "$fm_copy" "$fm_before" "$fm_after" '- - - -' && fm_flush "$fm_copy.meta" && fm_flush "$fm_store"
    return
  fi
  [ -e "$fm_copy" ] || fm_keep "$fm_copy" "$fm_before" "$fm_after" || return 1
  fm_digest "$fm_copy"
  fm_rc=1
  fm_said="the saved copy $fm_copy is damaged"
  [ "$fm_value" = "$fm_before" ]
}

# fm_keep COPY DIGEST NEXT: the file, which has that digest and is to get another, as a copy.
fm_keep() {
  rm -f -- "$1.part-"*
  fm_part=$1.part-$fm_nonce
  fm_try cp -a -- "$fm_path" "$fm_part" || return 1
  fm_rc=1
  fm_said="the copy of $fm_path is not what the file was"
  fm_digest "$fm_part"
  [ "$fm_value" = "$2" ] || return 1
  # Neither getfattr nor getfacl is on every node, so attributes and ACLs are copied but cannot be compared.
  fm_same '%f %u %g %Y' "$fm_part" "$fm_path" || return 1
  fm_flush "$fm_part" || return 1
  fm_write_meta "$1" "$2" "$3" "$(stat -c '%a %u %g %.9Y' -- "$fm_path")" || return 1
  fm_try mv -f -- "$fm_part" "$1" && fm_flush "$fm_store"
}

# fm_write_meta COPY DIGEST NEXT STAT
fm_write_meta() {
  fm_said=$({ printf '%s %s %s %s\n' "$2" "$3" "$4" "$fm_path" >"$1.meta"; } 2>&1)
  fm_rc=$?
  return "$fm_rc"
}

# This run began to change the file, so the new content may be its work.
fm_is_ours() {
  [ "$fm_before" = absent ] || {
    [ -e "$fm_copy" ]
    return
  }
  [ -f "$fm_copy.meta" ] && read -r _ fm_value _ <"$fm_copy.meta" && [ "$fm_value" = "$fm_after" ]
}

# fm_same FORMAT PATH PATH: both are the same by stat.
fm_same() { [ "$(stat -c "$1" -- "$2")" = "$(stat -c "$1" -- "$3")" ]; }

# The time of the target's directory. A kubelet whose --config-dir is newer than its start reads as drift, so an undo
# puts the time back, if nobody else changed the directory. Kept before our first change of it; noted after each of
# ours, so that another hand's is seen. What is missed: a change within the moment (busybox: the second) of ours.
fm_keep_time() {
  [ ! -e "$fm_copy.dir" ] || return 0
  if fm_try touch -r "$fm_dir" "$fm_copy.dir.part" && fm_try mv -f -- "$fm_copy.dir.part" "$fm_copy.dir"; then
    fm_calm=yes
    fm_note_time
  fi
}

fm_note_time() {
  [ -z "$fm_calm" ] || stat -c '%.9Y' -- "$fm_dir" >"$fm_copy.noted" || :
}

# Sets fm_calm when the directory is as we left it.
fm_look_at_time() {
  fm_calm=
  if [ -e "$fm_copy.dir" ] && [ -e "$fm_copy.noted" ] && [ "$(cat "$fm_copy.noted")" = "$(stat -c '%.9Y' -- "$fm_dir")" ]; then fm_calm=yes; fi
}

# The file is as it was before: its directory too, and what is kept of an edit that is undone goes.
fm_put_time_back() {
  [ -z "$fm_calm" ] || touch -r "$fm_copy.dir" "$fm_dir"
  rm -f -- "$fm_copy.dir" "$fm_copy.noted"
  [ "$fm_before" != absent ] || rm -f -- "$fm_copy.meta"
}

# Who did what, for people. Never a reason to fail, and never one to wait: without `timeout`, syslog gets no line.
fm_log() {
  fm_line="$fm_run by ${fm_by:-unknown}: $1"
  if [ -d "${fm_store:-}" ]; then printf '%s\n' "$fm_line" 2>/dev/null >>"$fm_store/log"; fi
  command -v logger >/dev/null && command -v timeout >/dev/null || return 0
  fm_limited 2 logger -t fleetmend -- "$fm_line" </dev/null >/dev/null
}

# fm_fail_by PLACE: nothing was changed; the reason is found by looking at the node.
fm_fail_by() {
  fm_bar='exit'
  fm_detail=
  if fm_hindrance "$1" 8192; then
    case $fm_why in readOnlyMount | mountPoint) fm_bar=readOnly ;; *) fm_bar=$fm_why ;; esac
  else
    fm_own_uid
    [ "$fm_value" = 0 ] || fm_bar=denied
  fi
  fm_result "failed none $fm_bar $fm_rc" "$1: $fm_detail${fm_detail:+; }$fm_said"
}
