# shellcheck shell=sh disable=SC2154
# Questions about files, directories and whether a write could succeed. Looks only.

# True when the path is not certainly its own real path: a link on the way, or /./, /../, //.
fm_indirect() {
  case $1/ in *//* | */./* | */../*) return 0 ;; esac
  fm_way=$1
  while [ -n "$fm_way" ]; do
    [ ! -L "$fm_way" ] || return 0
    fm_way=${fm_way%/*}
  done
  return 1
}

# The real path into fm_value.
fm_real() {
  fm_value=$1
  fm_indirect "$1" || return 0
  fm_value=$(readlink -n -f -- "$1" && printf x) || return 1
  fm_value=${fm_value%x}
}

# A path that seems to be missing: true when we may only not see it.
fm_blocked() {
  if [ -L "$1" ]; then
    fm_own_uid
    [ "$fm_value" != 0 ]
    return
  fi
  fm_way=${1%/*}
  while [ -n "$fm_way" ]; do
    if [ -d "$fm_way" ]; then
      [ ! -x "$fm_way" ]
      return
    fi
    fm_way=${fm_way%/*}
  done
  return 1
}

# Many files at the price of one stat and one cat. The controller sees by the sizes whether one changed meanwhile.
fm_do_file() {
  fm_seen=
  fm_left=$#
  while [ "$fm_left" -gt 0 ]; do
    fm_left=$((fm_left - 1))
    if [ -e "$1" ]; then
      fm_seen="$fm_seen+"
      set -- "$@" "$1"
    elif fm_blocked "$1"; then
      fm_seen="$fm_seen!"
    else
      fm_seen="$fm_seen-"
    fi
    shift
  done
  fm_lines=
  [ "$#" -eq 0 ] || fm_lines=$(stat -L -c '%s %f %u %g %h %i %.9Y' -- "$@")
  fm_field ok
  fm_field "$fm_seen"
  fm_field "$fm_lines"
  fm_left=$#
  fm_room=4194304
  while [ "$fm_left" -gt 0 ]; do
    fm_left=$((fm_left - 1))
    fm_size=${fm_lines%% *}
    fm_lines=${fm_lines#*"$fm_nl"}
    fm_mark_file "$1" "${fm_size:-0}"
    fm_real "$1" || fm_mark=S
    [ "$fm_value" != "$1" ] || fm_value=
    printf '%s%s\0' "$fm_mark" "$fm_value"
    [ "$fm_mark" != f ] || set -- "$@" "$1"
    shift
  done
  fm_field ''
  [ "$#" -eq 0 ] || cat -- "$@"
  fm_field ''
}

# f: its bytes follow; o: not regular; r: not readable; L: larger than 1 MiB; S: no room left in this answer.
fm_mark_file() {
  if [ ! -f "$1" ]; then
    fm_mark=o
  elif [ ! -r "$1" ]; then
    fm_mark=r
  elif [ "$2" -gt 1048576 ]; then
    fm_mark=L
  elif [ "$2" -gt "$fm_room" ]; then
    fm_mark=S
  else
    fm_mark=f
    fm_room=$((fm_room - $2))
  fi
}

fm_do_directory() {
  if [ ! -e "$1" ]; then
    if fm_blocked "$1"; then
      fm_no denied "$1: a directory on the way may not be entered"
      return 0
    fi
    fm_field ok
    fm_field --
    fm_field ''
    fm_field ''
    return 0
  fi
  fm_mark=-
  [ ! -L "$1" ] || fm_mark=l
  fm_trouble=
  fm_entries=0
  fm_field ok
  if [ -d "$1" ]; then
    fm_field "d$fm_mark"
    fm_walk "$1" ''
  else
    fm_field "o$fm_mark"
  fi
  fm_field ''
  fm_field "$fm_trouble"
}

# fm_walk DIRECTORY PREFIX: every entry as kind, target, path, NUL. By globs alone, so every name survives.
fm_walk() {
  if [ ! -r "$1" ] || [ ! -x "$1" ]; then
    fm_trouble="denied $1"
    return 0
  fi
  for fm_entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    fm_kind "$fm_entry" || continue
    fm_entries=$((fm_entries + 1))
    if [ "$fm_entries" -gt 20000 ]; then
      fm_trouble="tooLarge $1"
      return 0
    fi
    printf '%s%s%s\0' "$fm_mark" "$2" "${fm_entry##*/}"
    [ "$fm_mark" != d- ] || fm_walk "$fm_entry" "$2${fm_entry##*/}/"
  done
}

fm_kind() {
  if [ -f "$1" ]; then
    fm_mark=f
  elif [ -d "$1" ]; then
    fm_mark=d
  elif [ -e "$1" ]; then
    fm_mark=o
  elif [ -L "$1" ]; then
    fm_mark=m
  else
    return 1
  fi
  if [ -L "$1" ]; then fm_mark="l$fm_mark"; else fm_mark="$fm_mark-"; fi
}

# The mount that holds a real path: fm_mount, and fm_frozen (yes: read-only, by the mount or by the file system).
fm_mount_of() {
  fm_target=$1
  fm_mount=
  fm_frozen=
  fm_table=$(cat /proc/self/mountinfo)
  set -f
  IFS=$fm_nl
  for fm_line in $fm_table; do
    unset IFS
    # shellcheck disable=SC2086
    set -- $fm_line
    fm_point=$5
    case $fm_point in *\\*) fm_point=$(printf '%b' "$(printf %s "$fm_point" | sed 's/\\/\\0/g')") ;; esac
    [ "$fm_point" != / ] || fm_point=
    case $fm_target in "$fm_point" | "$fm_point"/*) ;; *) continue ;; esac
    [ "${#fm_point}" -ge "${#fm_mount}" ] || continue
    fm_mount=$fm_point
    fm_frozen=
    for fm_last do :; done
    case ",$6,$fm_last," in *,ro,*) fm_frozen=yes ;; esac
  done
  unset IFS
  set +f
  fm_mount=${fm_mount:-/}
}

fm_fixed() {
  command -v lsattr >/dev/null || return 1
  fm_value=$(lsattr -d -- "$1") || return 1
  case ${fm_value%% *} in *[ia]*) return 0 ;; esac
  return 1
}

# fm_roomy PATH BYTES: whether the file system has that much room and an inode; fm_free: its free bytes.
fm_roomy() {
  # shellcheck disable=SC2046
  set -- "$2" $(stat -f -c '%S %f %c %d' -- "$1")
  fm_free=$((${2:-0} * ${3:-0}))
  [ "$fm_free" -ge "$1" ] || return 1
  [ "${4:-0}" -eq 0 ] || [ "${5:-0}" -gt 0 ]
}

# What stands against a file at a real path with BYTES of content: fm_why and fm_detail; fails when nothing does.
fm_hindrance() {
  fm_near=${1%/*}
  while [ ! -d "${fm_near:-/}" ]; do fm_near=${fm_near%/*}; done
  fm_near=${fm_near:-/}
  fm_mount_of "$1"
  if [ "$fm_mount" = "$1" ]; then
    fm_why=mountPoint
    fm_detail="$1 is a mount point of its own"
  elif [ -n "$fm_frozen" ]; then
    fm_why=readOnlyMount
    fm_detail="$fm_mount is mounted read-only"
  elif [ -f "$1" ] && fm_fixed "$1"; then
    fm_why=immutable
    fm_detail="$1 has the attributes ${fm_value%% *}"
  elif fm_fixed "$fm_near"; then
    fm_why=immutable
    fm_detail="$fm_near has the attributes ${fm_value%% *}"
  elif ! fm_roomy "$fm_near" "$2"; then
    fm_why=noSpace
    fm_detail="$fm_free bytes or no inode free on $fm_mount"
  else
    return 1
  fi
}

fm_do_writable() {
  fm_links=1
  fm_size=0
  if ! fm_real "$1" || [ ! -d "${fm_value%/*}/" ]; then
    fm_answer_no missingDirectory "the directory of $1 does not exist"
    return 0
  fi
  fm_place=$fm_value
  if [ -e "$fm_place" ] && [ ! -f "$fm_place" ]; then
    fm_answer_no notRegular "$fm_place is not a regular file"
    return 0
  fi
  fm_own_uid
  if [ "$fm_value" != 0 ]; then
    fm_answer_no notRoot "the remote user has uid $fm_value"
    return 0
  fi
  if [ -f "$fm_place" ]; then
    fm_value=$(stat -c '%h %s' -- "$fm_place")
    fm_links=${fm_value% *}
    fm_size=${fm_value#* }
  fi
  fm_need=$((fm_size * 2 + 65536))
  if fm_hindrance "$fm_state/x" "$fm_need" || fm_hindrance "$fm_place" "$fm_need"; then
    fm_answer_no "$fm_why" "$fm_detail"
    return 0
  fi
  fm_field ok
  fm_field "yes $fm_links $fm_free"
  fm_field ''
}

fm_answer_no() {
  fm_field ok
  fm_field "$1"
  fm_field "$2"
}
