#!/bin/sh
# Stands in for systemd-run in tests: notes what it was asked; the timer is active for the stand-in of systemctl, and never fires.
# Fails, or says yes and does nothing, while a file beside it says so.
here=$(dirname "$0")
[ ! -e "$here/systemd-run.broken" ] || { echo "Failed to start transient timer unit: broken for a test" >&2; exit 1; }
printf '%s\n' "$*" >>"$here/systemd-run.log"
[ -e "$here/systemd-run.idle" ] || { timer=${1#--unit=}; : >"$here/$timer.timer.active"; }
