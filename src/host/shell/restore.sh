# shellcheck shell=sh disable=SC2154,SC2034
# Undoing an edit: the old file comes back from its copy. A node where that begins counts as changed; a lock that cannot
# be marked so (a full disk) is no reason to leave the file. Only a session that was opened to write is ever sent this text.

# fm_do_restore RUN refuse|save write|remove PATH BEFORE AFTER EARLIER...
# EARLIER: what the file was before earlier edits of the run. Found so, it is further back already.
fm_do_restore() {
  fm_begin "$1" back "$4" "$5" "$6" || return 0
  fm_foreign=$2
  case $fm_found in
    "$fm_before") fm_stay ;;
    "$fm_after") fm_put_back ;;
    other) fm_drifted ;;
    *)
      shift 6
      if fm_is_among "$@"; then
        fm_result already ''
      elif [ "$fm_foreign" != save ]; then
        fm_drifted
      elif fm_set_aside; then
        fm_put_back
      fi
      ;;
  esac
}

fm_is_among() {
  for fm_word do
    [ "$fm_word" != "$fm_found" ] || return 0
  done
  return 1
}

fm_put_back() {
  if [ "$fm_before" != absent ]; then
    fm_bring_back
  elif fm_is_ours; then
    fm_mark_touched || :
    fm_remove
  else
    fm_result 'failed none missingCopy ' "this run did not create $fm_path"
  fi
}

# What another hand wrote since. Where nothing is, nothing is kept.
fm_set_aside() {
  [ "$fm_found" != absent ] || return 0
  fm_aside=$fm_store/$fm_id-$fm_found
  if [ ! -e "$fm_aside" ] && ! fm_keep "$fm_aside" "$fm_found" "$fm_before"; then
    fm_give_up "$fm_aside" exit
    return 1
  fi
  fm_digest "$fm_aside"
  if [ "$fm_value" != "$fm_found" ]; then
    fm_result 'failed none exit ' "$fm_aside is damaged, so $fm_path was not overwritten"
    return 1
  fi
  fm_kept="what was there is kept as $fm_aside"
}

# The content is the old one. Whoever put it there may have left it with another mode, owner or time.
fm_stay() {
  fm_digest "$fm_copy"
  if [ "$fm_value" != "$fm_before" ] || [ "$fm_before" = absent ] || fm_same '%f %u %g %Y' "$fm_copy" "$fm_path"; then
    fm_put_time_back
    fm_result already ''
  elif fm_overtaken; then
    return 0
  else
    fm_mark_touched || :
    fm_try chown "$(stat -c '%u:%g' -- "$fm_copy")" "$fm_path" && fm_try chmod "$(stat -c '%a' -- "$fm_copy")" "$fm_path" &&
      fm_try touch -r "$fm_copy" "$fm_path"
    fm_confirm "$fm_before"
  fi
}

fm_bring_back() {
  fm_digest "$fm_copy"
  if [ "$fm_value" != "$fm_before" ]; then
    fm_result 'failed none missingCopy ' "the saved copy $fm_copy is $fm_value"
    return 0
  fi
  fm_mark_touched || :
  if ! fm_open_temp || ! fm_try cp -a -- "$fm_copy" "$fm_temp" || ! fm_sealed "$fm_before"; then
    fm_give_up "$fm_path" exit
  elif fm_overtaken; then
    return 0
  elif ! fm_place; then
    fm_give_up "$fm_path" exit
  else
    fm_confirm "$fm_before"
  fi
}
