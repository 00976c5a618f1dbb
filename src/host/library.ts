/** The shell text of a visit. The only place where anything of ours becomes shell source: constants and a nonce, no value of a request. */
import { ARM_SH } from './shell/arm.sh.js';
import { ACTIVATE_SH } from './shell/activate.sh.js';
import { FRAME_SH } from './shell/frame.sh.js';
import { GUARD_SH } from './shell/guard.sh.js';
import { INSPECT_SH } from './shell/inspect.sh.js';
import { LOCK_SH } from './shell/lock.sh.js';
import { NARROW_SH } from './shell/narrow.sh.js';
import { READ_SH } from './shell/read.sh.js';
import { RESTORE_SH } from './shell/restore.sh.js';
import { STATE_SH } from './shell/state.sh.js';
import { STORE_SH } from './shell/store.sh.js';
import { WRITE_SH } from './shell/write.sh.js';
import { UNIT_PROPERTIES } from './process-fields.js';

export interface LibraryPlaces {
  /** Where saved copies lie on a node, one directory a run. */
  readonly stateRoot: string;
  readonly searchPath: string;
  /** Where units of the administrator lie. */
  readonly unitRoot: string;
  /** Is there while systemd runs the node. */
  readonly runningRoot: string;
}

export const DEFAULT_PLACES: LibraryPlaces = {
  stateRoot: '/var/lib/fleetmend',
  searchPath: '/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin',
  unitRoot: '/etc/systemd/system',
  runningRoot: '/run/systemd/system',
};

/** A reading visit gets no function that changes anything: what was never sent cannot be run. `readNarrowly`: no root shell, single commands as root. */
export function buildLibrary(nonce: string, purpose: 'read' | 'readNarrowly' | 'write', places: LibraryPlaces): string {
  return settings({ fm_nonce: nonce, ...settingsOf(places), fm_properties: UNIT_PROPERTIES.join(',') })
    + FRAME_SH + READ_SH + INSPECT_SH + STATE_SH + MORE[purpose];
}

const MORE = { read: '', readNarrowly: NARROW_SH, write: STORE_SH + LOCK_SH + WRITE_SH + RESTORE_SH + ACTIVATE_SH + ARM_SH };

/** What lies on a node as the guard of a run: all that an undo needs, and a main part that does the order beside it. */
export function buildGuard(places: LibraryPlaces): string {
  return settings({ fm_nonce: 'guard', ...settingsOf(places) }) + FRAME_SH + READ_SH + INSPECT_SH + STATE_SH + STORE_SH + LOCK_SH + WRITE_SH + RESTORE_SH + ACTIVATE_SH + ARM_SH + GUARD_SH;
}

function settingsOf({ stateRoot, unitRoot, runningRoot, searchPath }: LibraryPlaces): Record<string, string> {
  return { fm_state: stateRoot, fm_units: unitRoot, fm_running: runningRoot, PATH: searchPath };
}

function settings(values: Readonly<Record<string, string>>): string {
  return Object.entries(values).map(([name, value]) => `${name}=${plain(value)}\n`).join('');
}

function plain(value: string): string {
  if (!/^[A-Za-z0-9_./:,-]+$/.test(value)) throw new RangeError(`not plain enough for shell text: ${JSON.stringify(value)}`);
  return value;
}
