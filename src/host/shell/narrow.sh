# shellcheck shell=sh disable=SC2154,SC2034
# Reading with the login's own rights, and by single commands as root where those do not reach: each is one that the rules of
# sudo list, word for word (narrow-rules.ts). Takes the place of what read.sh and inspect.sh do by a root shell. Looks only.
fm_refused=
fm_format='%s %f %u %g %h %i %.9Y'

# fm_as_root COMMAND...: its output into fm_value.
fm_as_root() {
  fm_value=$(sudo -n -- "$@" && printf x)
  fm_code=$?
  fm_value=${fm_value%x}
  [ "$fm_code" = 0 ] || fm_blame "$@"
  return "$fm_code"
}

# A command failed: was it sudo that did not allow it? Then the visit is refused, with that command.
fm_blame() {
  [ -n "$fm_refused" ] || sudo -n -l -- "$@" >/dev/null || fm_refused=$*
}

fm_operations() {
  while [ "$#" -gt 0 ]; do
    fm_first "$@"
    shift "$fm_used"
  done
  [ -z "$fm_refused" ] || fm_no refused "$fm_refused"
}

fm_do_file() {
  fm_seen=
  fm_lines=
  fm_ways=
  fm_left=$#
  while [ "$fm_left" -gt 0 ]; do
    fm_left=$((fm_left - 1))
    fm_look "$1"
    fm_seen=$fm_seen$fm_mark
    case $fm_mark in
      +)
        fm_lines=$fm_lines$fm_line$fm_nl
        fm_ways=$fm_ways$fm_whose
        set -- "$@" "$1"
        ;;
    esac
    shift
  done
  fm_field ok
  fm_field "$fm_seen"
  fm_field "${fm_lines%"$fm_nl"}"
  fm_contents=
  fm_left=$#
  fm_room=4194304
  while [ "$fm_left" -gt 0 ]; do
    fm_left=$((fm_left - 1))
    fm_whose=${fm_ways%"${fm_ways#?}"}
    fm_ways=${fm_ways#?}
    fm_sort "${fm_lines%%"$fm_nl"*}"
    fm_lines=${fm_lines#*"$fm_nl"}
    if [ "$fm_whose" = h ]; then
      fm_as_root /bin/readlink -n -f -- "$1" || fm_mark=r
    else
      fm_real "$1" || fm_mark=S
    fi
    [ "$fm_value" != "$1" ] || fm_value=
    printf '%s%s\0' "$fm_mark" "$fm_value"
    if [ "$fm_mark" = f ]; then
      fm_contents=$fm_contents$fm_whose
      set -- "$@" "$1"
    fi
    shift
  done
  fm_field ''
  for fm_path do
    case $fm_contents in
      o*) cat -- "$fm_path" ;;
      *) sudo -n -- /bin/cat -- "$fm_path" || fm_blame /bin/cat -- "$fm_path" ;;
    esac
    fm_contents=${fm_contents#?}
  done
  fm_field ''
}

# fm_look PATH: + there, - not there, ! not to be seen, into fm_mark; its line of stat into fm_line; and into fm_whose who may
# read it: o, we; r, root; h, root, who alone sees it.
fm_look() {
  fm_whose=o
  fm_line=
  fm_mark=-
  if [ -e "$1" ]; then
    fm_line=$(stat -L -c "$fm_format" -- "$1")
    [ -r "$1" ] || fm_whose=r
  elif fm_blocked "$1"; then
    fm_whose=h
    fm_as_root /usr/bin/stat -L -c "$fm_format" -- "$1" && fm_line=${fm_value%"$fm_nl"}
    [ -z "$fm_refused" ] || fm_mark=!
  fi
  [ -z "$fm_line" ] || fm_mark=+
}

# As fm_mark_file, by a line of stat alone.
fm_sort() {
  fm_size=${1%% *}
  case ${1#* } in
    8???' '*)
      fm_mark=f
      if [ "$fm_size" -gt 1048576 ]; then
        fm_mark=L
      elif [ "$fm_size" -gt "$fm_room" ]; then
        fm_mark=S
      else
        fm_room=$((fm_room - fm_size))
      fi
      ;;
    *) fm_mark=o ;;
  esac
}

# All facts but the command line. 1: gone, dead or no process of user space; 2: we may not look.
fm_examine() {
  case $1 in '' | 0 | *[!0-9]*) return 1 ;; esac
  if [ ! -d "/proc/$1" ]; then
    [ -d /proc/1 ] || return 2
    return 1
  fi
  fm_ticks_of "$1" || return 1
  fm_ticks=$fm_value
  fm_cgroup=
  while IFS= read -r fm_line; do fm_cgroup=$fm_cgroup$fm_line$fm_nl; done <"/proc/$1/cgroup"
  fm_spaces=0
  if fm_as_root /bin/readlink "/proc/$1/ns/pid" "/proc/$1/ns/mnt" /proc/1/ns/pid /proc/1/ns/mnt; then
    # The same as those of pid 1; and the mounts are ours, so that the files we read are its files.
    fm_cwd=${fm_value%%"$fm_nl"*}
    fm_exe=$(readlink -n "/proc/$$/ns/mnt")
    [ "$fm_value" != "$fm_cwd$fm_nl$fm_exe$fm_nl$fm_cwd$fm_nl$fm_exe$fm_nl" ] || fm_spaces=1
  fi
  if ! fm_as_root /bin/readlink "/proc/$1/exe" "/proc/$1/cwd"; then
    [ -z "$fm_refused" ] || return 2
    return 1
  fi
  fm_exe=${fm_value%%"$fm_nl"*}
  fm_cwd=${fm_value#*"$fm_nl"}
  fm_cwd=${fm_cwd%"$fm_nl"}
  # A name with a newline in it: nobody can tell which of the two.
  case $fm_cwd in *"$fm_nl"*) return 2 ;; esac
}

fm_do_processes() {
  fm_listing=$(sudo -n -- /usr/bin/find /proc -maxdepth 2 -name exe -ls)
  [ -n "$fm_listing" ] || fm_blame /usr/bin/find /proc -maxdepth 2 -name exe -ls
  fm_pick "$1"
  fm_field ok
  fm_field "$fm_found"
  fm_field 0
}
