/**
 * Two jump hosts and a rack of hosts in network namespaces of their own, as a fleet has them: the controller reaches the first jump
 * host only, that one the second, and only the second reaches the rack. Needs root. All names carry the prefix, and only those are removed.
 */
import { spawn } from 'node:child_process';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { mustRun, mustRunScript, run } from '../lab/command.js';
import { knownLine } from './bastion.js';
import { makeKey } from './scratch.js';
import type { Scratch, TestKey } from './scratch.js';
import { startSshd } from './sshd.js';
import type { Sshd } from './sshd.js';

const PREFIX = 'jmp';
const OUTER = '10.62';
const INNER = '10.63';

const ADDRESS = { first: `${OUTER}.0.2`, second: `${INNER}.0.3` } as const;
/** The rack answers on every address of this network. */
const RACK_NETWORK = `${INNER}.16.0/20`;

export type Place = 'first' | 'second' | 'rack';

export interface BastionWorld {
  readonly userKey: TestKey;
  readonly servers: Readonly<Record<Place, Sshd>>;
  readonly known: string;
  addressOf(place: 'first' | 'second'): string;
  /** Host `index` counts from 0. */
  rackAddress(index: number): string;
  /** Ends a server and every connection that it has. */
  kill(place: Place): Promise<void>;
  /** The killed server with its port and keys. */
  beginAgain(place: Place): Promise<void>;
  /** All logins at the server. */
  logins(place: Place): number;
  setLink(state: 'up' | 'down'): Promise<void>;
  close(): Promise<void>;
}

const namespaceOf = (place: Place): string => `${PREFIX}-${place}`;

export async function raiseBastionWorld(scratch: Scratch, settings: Partial<Record<Place, readonly string[]>>): Promise<BastionWorld> {
  await sweep();
  await lay();
  const userKey = makeKey();
  // An empty home: what the rc files of whoever runs the tests do to 300 logins is not at stake here.
  const home = dirname(scratch.write('.empty', ''));
  const within = (place: Place): string[] => ['ip', 'netns', 'exec', namespaceOf(place), 'sh', '-c', 'mount --bind "$1" "$2" && shift 2 && exec "$@"', 'sh', home, userInfo().homedir];
  const start = (place: Place, listen: string): Promise<Sshd> =>
    startSshd(scratch, { userKey, listen, first: settings[place] ?? [], within: within(place) });
  const servers = { first: await start('first', ADDRESS.first), second: await start('second', ADDRESS.second), rack: await start('rack', '0.0.0.0') };
  const keyOf = (place: Place): TestKey => servers[place].hostKeys[0] ?? makeKey();
  const known = [
    knownLine(servers.first.port, keyOf('first'), ADDRESS.first), knownLine(servers.second.port, keyOf('second'), ADDRESS.second),
    knownLine(servers.rack.port, keyOf('rack'), `${INNER}.*`),
  ].join('');
  const laterLogs: Record<Place, string> = { first: '', second: '', rack: '' };
  const kill = async (place: Place): Promise<void> => {
    const pids = (await mustRun(['ip', 'netns', 'pids', namespaceOf(place)])).split('\n').filter((pid) => pid !== '').map(Number);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await servers[place].close();
  };
  return {
    userKey, servers, known, kill,
    async beginAgain(place) {
      const [program = '', ...before] = within(place);
      const config = scratch.path(`sshd-${servers[place].port}.config`);
      const child = spawn(program, [...before, '/usr/sbin/sshd', '-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
      await new Promise<void>((resolve, reject) => {
        child.once('exit', () => { reject(new Error('sshd ended')); });
        child.stderr.on('data', (chunk: Buffer) => {
          laterLogs[place] += chunk.toString();
          if (laterLogs[place].includes('Server listening on')) resolve();
        });
      });
    },
    addressOf: (place) => ADDRESS[place],
    rackAddress: (index) => `${INNER}.${16 + Math.floor(index / 250)}.${1 + (index % 250)}`,
    logins: (place) => (servers[place].log() + laterLogs[place]).match(/Accepted publickey/g)?.length ?? 0,
    setLink: async (state) => { await mustRun(['ip', 'link', 'set', `${PREFIX}-v0`, state]); },
    async close() {
      for (const place of ['rack', 'second', 'first'] as const) await kill(place);
      await sweep();
    },
  };
}

async function lay(): Promise<void> {
  const [first, second, rack] = (['first', 'second', 'rack'] as const).map(namespaceOf);
  const inside = (namespace: string | undefined, ...words: string[]): string[] => ['ip', '-n', namespace ?? '', ...words];
  await mustRunScript([
    ...[first, second, rack].flatMap((namespace) => [['ip', 'netns', 'add', namespace ?? ''], inside(namespace, 'link', 'set', 'lo', 'up')]),
    ['ip', 'link', 'add', `${PREFIX}-v0`, 'type', 'veth', 'peer', 'name', 'outer', 'netns', first ?? ''],
    ['ip', 'addr', 'add', `${OUTER}.0.1/24`, 'dev', `${PREFIX}-v0`], ['ip', 'link', 'set', `${PREFIX}-v0`, 'up'],
    inside(first, 'addr', 'add', `${ADDRESS.first}/24`, 'dev', 'outer'), inside(first, 'link', 'set', 'outer', 'up'),
    inside(first, 'link', 'add', 'inner', 'type', 'veth', 'peer', 'name', 'outer', 'netns', second ?? ''),
    inside(first, 'addr', 'add', `${INNER}.0.2/24`, 'dev', 'inner'), inside(first, 'link', 'set', 'inner', 'up'),
    inside(second, 'addr', 'add', `${ADDRESS.second}/24`, 'dev', 'outer'), inside(second, 'link', 'set', 'outer', 'up'),
    inside(second, 'link', 'add', 'inner', 'type', 'veth', 'peer', 'name', 'outer', 'netns', rack ?? ''),
    inside(second, 'addr', 'add', `${INNER}.1.3/24`, 'dev', 'inner'), inside(second, 'link', 'set', 'inner', 'up'),
    inside(rack, 'addr', 'add', `${INNER}.1.4/24`, 'dev', 'outer'), inside(rack, 'link', 'set', 'outer', 'up'),
    inside(second, 'route', 'add', RACK_NETWORK, 'via', `${INNER}.1.4`),
    inside(rack, 'route', 'add', 'local', RACK_NETWORK, 'dev', 'lo'),
    // What is meant for the rack must not leave this machine by another way.
    ['ip', 'route', 'add', 'unreachable', `${INNER}.0.0/16`],
  ]);
}

/** Also what a killed run left. */
async function sweep(): Promise<void> {
  for (const place of ['first', 'second', 'rack'] as const) await run(['ip', 'netns', 'del', namespaceOf(place)]);
  await run(['ip', 'link', 'del', `${PREFIX}-v0`]);
  await run(['ip', 'route', 'del', 'unreachable', `${INNER}.0.0/16`]);
}
