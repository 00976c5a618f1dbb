/** Which names of sessions and people may stand in a lock. Pure; both for what is sent and for what a node says. */

export function isSessionName(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(text);
}

/** `alice@laptop`. */
export function isPersonName(text: string): boolean {
  return /^[A-Za-z0-9._@-]{1,130}$/.test(text);
}
