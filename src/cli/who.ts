/** Who is at work, for locks, journals and logs. Never trusted for access. */
import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import type { Holder } from '../core/effect.js';
import { LOCK_STALE_AFTER_MS } from '../core/lock.js';

/** `alice@laptop`, in plain letters whatever the machine is called. */
export function whoAmI(): string {
  return `${plain(userName())}@${plain(hostname())}`;
}

/** `session` is new each time: two processes of one run are told apart by it. */
export function newHolder(run: string): Holder {
  return { run, who: whoAmI(), session: randomBytes(8).toString('hex'), staleAfterMs: LOCK_STALE_AFTER_MS };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A uid without an entry in the user database, as in containers.
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}

function plain(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 64) || 'unknown';
}
