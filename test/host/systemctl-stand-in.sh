#!/bin/sh
# Stands in for systemctl in tests: one unit, fm-test.service, whose main process is a real `sleep`.
# Its state lies in the directory of this script. Knows show, is-active, restart, stop, daemon-reload, reset-failed and status.
here=$(dirname "$0")
for unit do :; done
while case ${1:-} in -p) shift 2 ;; -*) shift ;; *) false ;; esac do :; done
verb=${1:-}
printf "%s\n" "$*" >>"$here/systemctl.log"
pid=$(cat "$here/unit.pid" 2>/dev/null || echo 0)
begin() {
  setsid sleep 600 </dev/null >/dev/null 2>&1 &
  echo "$!" >"$here/unit.pid"
  # On a busy machine it is for a while this shell, and then setsid: two looks at it would see two programs.
  tries=0
  until { read -r name <"/proc/$!/comm" && [ "$name" = sleep ]; } 2>/dev/null || [ "$tries" -ge 500 ]; do
    tries=$((tries + 1))
    sleep 0.01
  done
  tr -d '-' </proc/sys/kernel/random/uuid >"$here/unit.life"
}
case $verb in
  begin) begin ;;
  end) kill "$pid" 2>/dev/null; rm -f "$here/unit.pid" ;;
  show)
    if [ "$unit" != fm-test.service ]; then
      printf 'Id=%s\nLoadState=not-found\nActiveState=inactive\nMainPID=0\n' "$unit"
    else
      printf 'MainPID=%s\nId=fm-test.service\nLoadState=loaded\nActiveState=%s\nInvocationID=%s\n' "$pid" "$([ "$pid" = 0 ] && echo inactive || echo active)" "$(cat "$here/unit.life")"
      printf 'EnvironmentFiles=/etc/a (ignore_errors=yes)\nEnvironmentFiles=/etc/b (ignore_errors=no)\nEnvironment=A=1\nnot a key\n'
      printf 'ConsistsOf=\nRequiredBy=\nRequisiteOf=\nBoundBy=\n'
    fi
    ;;
  is-active)
    shift
    for one do if [ -e "$here/$one.active" ]; then echo active; else echo inactive; fi; done
    exit 3
    ;;
  status) echo "$unit - is up"; [ "$unit" = fm-test.service ] || exit 4 ;;
  stop) rm -f "$here/$unit.active" ;;
  daemon-reload | reset-failed) ;;
  restart)
    [ "$unit" = fm-test.service ] || { echo "Failed to restart $unit: Unit $unit not found." >&2; exit 5; }
    kill "$pid"
    begin
    ;;
  *) exit 1 ;;
esac
