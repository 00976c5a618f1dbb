/** The names that a run may have: one rule for its folder here, its directory on a node, and what a node's lock says. Pure. */

/** `lock` and `broken-...` lie beside the directories of runs on a node. No path: no slash, and no dot at the start. */
export function isRunName(text: string): boolean {
  return /^(?!lock$|broken-)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text);
}
