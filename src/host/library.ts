/** The shell text of a visit. The only place where anything of ours becomes shell source: constants and a nonce, no value of a request. */
import { ACTIVATE_SH } from './shell/activate.sh.js';
import { FRAME_SH } from './shell/frame.sh.js';
import { INSPECT_SH } from './shell/inspect.sh.js';
import { READ_SH } from './shell/read.sh.js';
import { STORE_SH } from './shell/store.sh.js';
import { WRITE_SH } from './shell/write.sh.js';
import { UNIT_PROPERTIES } from './process-fields.js';

export interface LibraryPlaces {
  /** Where saved copies lie on a node, one directory a run. */
  readonly stateRoot: string;
  readonly searchPath: string;
}

export const DEFAULT_PLACES: LibraryPlaces = {
  stateRoot: '/var/lib/fleetmend',
  searchPath: '/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin',
};

/** A reading visit gets no function that changes anything: what was never sent cannot be run. */
export function buildLibrary(nonce: string, purpose: 'read' | 'write', places: LibraryPlaces): string {
  const settings = { fm_nonce: nonce, fm_state: places.stateRoot, fm_properties: UNIT_PROPERTIES.join(','), PATH: places.searchPath };
  const head = Object.entries(settings).map(([name, value]) => `${name}=${plain(value)}\n`).join('');
  return head + FRAME_SH + READ_SH + INSPECT_SH + (purpose === 'write' ? STORE_SH + WRITE_SH + ACTIVATE_SH : '');
}

function plain(value: string): string {
  if (!/^[A-Za-z0-9_./:,-]+$/.test(value)) throw new RangeError(`not plain enough for shell text: ${JSON.stringify(value)}`);
  return value;
}
