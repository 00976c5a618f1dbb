/** What PAM of a node sees of a password that is wrong: whoever starts sudo and says nothing has failed there too. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { failureOf } from '../../src/core/failure.js';
import { createConnector } from '../../src/host/connector.js';
import { DEPLOY_PASSWORD, SKIP_WITHOUT_ROOT_NODE, startRootNode, type RootNode } from './root-node.js';

const quiet = (): AbortSignal => new AbortController().signal;

describe.skipIf(SKIP_WITHOUT_ROOT_NODE)('what PAM sees (skipped without root, sudo, doas and mount namespaces)', () => {
  let node: RootNode;
  let log: string;
  beforeAll(async () => {
    node = await startRootNode();
    log = join(node.directory, 'asked');
    const script = join(node.directory, 'ask.sh');
    writeFileSync(script, `#!/bin/sh\necho asked >> ${log}\n`);
    chmodSync(script, 0o755);
    node.allow({ sudoers: 'deploy ALL=(root) ALL', auth: `auth optional pam_exec.so quiet ${script}\nauth required pam_unix.so nodelay` });
  });
  beforeEach(() => {
    writeFileSync(log, '');
    // PAM runs the script as the login.
    chmodSync(log, 0o666);
  });
  afterAll(() => node.close());

  const asked = (): number => readFileSync(log, 'utf8').split('\n').length - 1;
  const names = Array.from({ length: 8 }, (_, index) => `node-${index + 1}`);
  /** Gives how each host ended. */
  const openWith = (password: string): ((hosts: readonly string[]) => Promise<(string | undefined)[]>) => {
    const connector = createConnector(node.transport, { secrets: { read: () => Promise.resolve(password) } });
    return (hosts) => Promise.all(hosts.map(async (name) => {
      try {
        await (await connector.openToRead(node.host('sudo', { password: { from: 'prompt' } }, name), quiet())).close();
        return undefined;
      } catch (error) {
        return failureOf(error).summary;
      }
    }));
  };

  it('a wrong password is on three hosts; the others have no sudo started, and neither has a host that refused it', async () => {
    const open = openWith('not the key');
    const ends = await open(names);
    const refused = ends.filter((end) => end === 'sudo did not accept the password of deploy');
    const barred = ends.filter((end) => end?.startsWith('sudo was not started: 3 hosts refused the password of deploy') === true);
    expect([refused.length, barred.length]).toEqual([3, names.length - 3]);
    // sudo asks again before it can be told to stop.
    expect(asked()).toBe(3 * 2);
    expect((await open(names)).every((end) => end?.startsWith('sudo was not started: ') === true)).toBe(true);
    expect(asked()).toBe(3 * 2);
  });

  it('a right password is asked for once by each host', async () => {
    expect(await openWith(DEPLOY_PASSWORD)(names)).toEqual(names.map(() => undefined));
    expect(asked()).toBe(names.length);
  });
});
