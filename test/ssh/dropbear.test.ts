/** The transport over ssh2 against dropbear: the port's contract, and the keys that dropbear has. */
import { describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../src/ssh/fingerprint.js';
import { transportContract } from '../contracts/transport.contract.js';
import { DROPBEAR_SKIP_REASON, SKIP_WITHOUT_DROPBEAR, startDropbear } from './dropbear.js';
import { createPlainTransport } from './plain-transport.js';
import { createScratch, hostAt, makeKey } from './scratch.js';
import type { KeyKind } from './scratch.js';
import { startTcpServer } from './test-server.js';

describe.skipIf(SKIP_WITHOUT_DROPBEAR)(`dropbear (skipped when ${DROPBEAR_SKIP_REASON})`, () => {
  transportContract('ssh2 against dropbear', async () => {
    const scratch = createScratch();
    const dropbear = await startDropbear(scratch);
    const absent = await startTcpServer(() => undefined);
    await absent.close();
    return {
      transport: createPlainTransport({
        hostKeys: 'strict', knownHostsFiles: [scratch.write('known', `[127.0.0.1]:${dropbear.port} ${dropbear.hostKey.publicText}\n`)],
        defaultIdentityFiles: [scratch.write('id', dropbear.userKey.privateText)],
      }),
      host: dropbear.host, absentHost: hostAt(absent.port), fingerprint: fingerprintOf(dropbear.hostKey.blob), lateOutput: 'dropped',
      async close() {
        await dropbear.close();
        scratch.remove();
      },
    };
  });

  it.each<KeyKind>(['ed25519', 'ecdsa', 'rsa'])('a host key and a user key of type %s let us in', async (kind) => {
    const scratch = createScratch();
    const dropbear = await startDropbear(scratch, { hostKeyKind: kind, userKey: makeKey(kind) });
    try {
      const transport = createPlainTransport({
        hostKeys: 'strict', knownHostsFiles: [scratch.write('known', `[127.0.0.1]:${dropbear.port} ${dropbear.hostKey.publicText}\n`)],
        defaultIdentityFiles: [scratch.write('id', dropbear.userKey.privateText)],
      });
      const shell = await transport.open(dropbear.host, 'exit 9', new AbortController().signal);
      expect(shell.hostKey).toBe(fingerprintOf(dropbear.hostKey.blob));
      shell.stdout.resume();
      shell.stderr.resume();
      expect(await shell.ended).toEqual({ how: 'exit', code: 9 });
    } finally {
      await dropbear.close();
      scratch.remove();
    }
  });
});
