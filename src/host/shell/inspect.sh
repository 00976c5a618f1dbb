# shellcheck shell=sh disable=SC2154
# Questions about the node, its units, processes and pages. Looks only.

# Once a visit: when the node booted, which is what the start times of processes count from.
fm_boot=
fm_table=$(cat /proc/stat </dev/null)
set -f
IFS=$fm_nl
for fm_line in $fm_table; do
  case $fm_line in 'btime '*) fm_boot=${fm_line#btime } ;; esac
done
unset IFS fm_table
set +f

fm_do_capability() {
  fm_own_uid
  read -r fm_kernel </proc/sys/kernel/osrelease
  read -r fm_boot_id </proc/sys/kernel/random/boot_id
  read -r fm_name </proc/sys/kernel/hostname
  fm_version=
  if [ -d "$fm_running" ] && command -v systemctl >/dev/null; then
    fm_version=$(fm_limited 20 systemctl --version)
    fm_version=${fm_version#systemd }
    fm_version=${fm_version%%[!0-9]*}
  fi
  fm_found=
  for fm_tool in base64 sha256sum stat timeout lsattr systemctl curl wget bash busybox systemd-run; do
    ! command -v "$fm_tool" >/dev/null || fm_found="$fm_found $fm_tool"
  done
  fm_field ok
  fm_field "$fm_value$fm_nl$fm_kernel$fm_nl$fm_boot_id$fm_nl$fm_version$fm_nl$fm_name"
  fm_field "$fm_found"
}

fm_do_unit() {
  if ! command -v systemctl >/dev/null; then
    fm_no missingTool systemctl
    return 0
  fi
  if ! fm_show=$(fm_limited 20 systemctl show --no-pager -p "$fm_properties" -- "$1"); then
    fm_no failed "$(fm_limited 20 systemctl show --no-pager -p "$fm_properties" -- "$1" 2>&1)"
    return 0
  fi
  read -r fm_uptime _ </proc/uptime
  fm_main=${fm_nl}${fm_show}${fm_nl}
  # The first one, not the last: dash finds that in 20 us, the last in 2 ms.
  fm_main=${fm_main#*"${fm_nl}MainPID="}
  fm_main=${fm_main%%"$fm_nl"*}
  fm_examine "$fm_main"
  fm_code=$?
  if [ "$fm_code" = 2 ]; then
    fm_no denied "process $fm_main may not be looked at without root"
    return 0
  fi
  fm_field ok
  fm_field "$fm_show"
  fm_field "$fm_uptime"
  fm_show_process "$fm_main" "$fm_code"
}

fm_do_process() {
  fm_examine "$1"
  fm_code=$?
  if [ "$fm_code" = 2 ]; then
    fm_no denied "process $1 may not be looked at without root"
    return 0
  fi
  fm_field ok
  fm_show_process "$1" "$fm_code"
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
  if ! fm_exe=$(readlink -n "/proc/$1/exe"); then
    fm_own_uid
    [ "$fm_value" = 0 ] || [ ! -d "/proc/$1" ] || return 2
    return 1
  fi
  fm_cwd=
  if cd -P "/proc/$1/cwd"; then fm_cwd=$PWD; fi
  cd /
  case $fm_cwd in /proc/* | '' | [!/]*) fm_cwd=$(readlink -n "/proc/$1/cwd") ;; esac
  fm_cgroup=
  while IFS= read -r fm_line; do fm_cgroup=$fm_cgroup$fm_line$fm_nl; done <"/proc/$1/cgroup"
  fm_spaces=0
  # Ours too: a login may have mounts of its own (pam_namespace), and then the files we read are not those of pid 1.
  # shellcheck disable=SC3013
  if [ "/proc/$1/ns/pid" -ef /proc/1/ns/pid ] && [ "/proc/$1/ns/mnt" -ef /proc/1/ns/mnt ] && [ "/proc/$1/ns/mnt" -ef "/proc/$$/ns/mnt" ]; then fm_spaces=1; fi
}

# Start time, field 22 of stat; a name may hold blanks, newlines and parentheses, so count from the last one.
fm_ticks_of() {
  fm_text=
  [ -r "/proc/$1/stat" ] || return 1
  while IFS= read -r fm_line; do fm_text="$fm_text $fm_line"; done <"/proc/$1/stat"
  while :; do
    case $fm_text in *')'*) fm_text=${fm_text#*')'} ;; *) break ;; esac
  done
  # shellcheck disable=SC2086
  set -- $fm_text
  case ${1:-X} in Z | X | x) return 1 ;; esac
  fm_value=${20:-}
  [ -n "$fm_value" ]
}

# The start time again after the command line shows that both are of one process.
fm_show_process() {
  if [ "$2" != 0 ]; then
    fm_field ''
    return 0
  fi
  fm_field "$1 $fm_ticks $fm_boot $fm_spaces"
  fm_field "$fm_exe"
  fm_field "$fm_cwd"
  fm_field "$fm_cgroup"
  cat "/proc/$1/cmdline"
  fm_field ''
  fm_ticks_of "$1" || fm_value=
  fm_field "$fm_value"
}

# fm_pick NAME: the numbers of processes in fm_listing whose program has that name, into fm_found.
fm_pick() {
  fm_found=
  set -f
  IFS=$fm_nl
  for fm_line in $fm_listing; do
    case $fm_line in
      *"/exe -> "*"/$1" | *"/exe -> "*"/$1 (deleted)" | *"/exe -> "*"/$1\\ (deleted)")
        fm_line=${fm_line#*/proc/}
        fm_found="$fm_found ${fm_line%%/*}"
        ;;
    esac
  done
  unset IFS
  set +f
}

fm_do_processes() {
  fm_listing=$(ls -l /proc/[0-9]*/exe)
  fm_pick "$1"
  fm_hidden=0
  [ -d /proc/1 ] || fm_hidden=1
  for fm_entry in /proc/[0-9]*; do
    fm_unseen "$fm_entry" && fm_hidden=$((fm_hidden + 1))
  done
  fm_field ok
  fm_field "$fm_found"
  fm_field "$fm_hidden"
}

# A process of user space (it has a command line, or even that is hidden) whose executable we may not see.
fm_unseen() {
  [ ! -e "$1/exe" ] && [ -d "$1" ] || return 1
  [ -r "$1/cmdline" ] || return 0
  fm_text=
  IFS= read -r fm_text <"$1/cmdline"
  [ -n "$fm_text" ] && [ -d "$1" ]
}

# fm_do_http URL MILLISECONDS
fm_do_http() {
  fm_time=$((($2 + 999) / 1000))
  fm_authority=${1#http://}
  case $fm_authority in */*) fm_page=/${fm_authority#*/} ;; *) fm_page=/ ;; esac
  if command -v curl >/dev/null; then
    fm_capture 12288 "$((fm_time + 1))" curl -q -g -s -S -i --noproxy '*' --max-time "$fm_time" --url "$1"
  elif command -v wget >/dev/null; then
    fm_capture 12288 "$fm_time" wget -q -S -O - -- "$1"
  elif command -v bash >/dev/null && [ "$fm_authority" != "$1" ]; then
    # Under sshd bash reads ~/.bashrc even for -c, and what that prints would spoil the page.
    fm_capture 12288 "$fm_time" bash --norc -p -c "$fm_tcp" fm "${fm_authority%%/*}" "$fm_page"
  elif command -v busybox >/dev/null; then
    fm_capture 12288 "$fm_time" busybox wget -q -S -O - -- "$1"
  else
    fm_no missingTool 'neither curl, wget nor bash'
    return 0
  fi
  case $fm_exit:$fm_value in
    *' HTTP/'[12]* | *:HTTP/[12]*)
      fm_field ok
      fm_field "$fm_value"
      ;;
    28:* | 124:* | 137:* | 143:*) fm_no timeout "no answer within $fm_time s" ;;
    *) fm_no failed "$fm_value" ;;
  esac
}

# HTTP/1.0, so that the answer comes in one piece and ends with the connection.
# shellcheck disable=SC2016
fm_tcp='host=${1%:*} port=${1##*:}; [ "$host" != "$1" ] || port=80; exec 3<>"/dev/tcp/$host/$port" || exit 7
printf "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n" "$2" "$1" >&3; cat <&3'

fm_do_version() {
  if [ ! -f "$1" ] || [ ! -x "$1" ]; then
    fm_no failed "$1 is not an executable file"
    return 0
  fi
  fm_capture 4096 20 "$1" --version
  case $fm_exit in
    0 | '')
      fm_field ok
      fm_field "$fm_value"
      ;;
    124 | 137) fm_no timeout "$1 --version did not end" ;;
    *) fm_no failed "$1 --version ended with exit code $fm_exit: $fm_value" ;;
  esac
}

fm_do_status() {
  if ! command -v systemctl >/dev/null; then
    fm_no missingTool systemctl
    return 0
  fi
  fm_capture 65536 20 systemctl status --no-pager --full --lines=20 -- "$1"
  case $fm_exit in
    124 | 137) fm_no timeout 'systemctl status did not end' ;;
    *)
      fm_field ok
      fm_field "${fm_exit:-0}"
      fm_field "$fm_value"
      ;;
  esac
}
