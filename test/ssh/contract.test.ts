/** The port's contract over ssh2 against ssh2's own server. */
import { createPlainTransport } from './plain-transport.js';
import { fingerprintOf } from '../../src/ssh/fingerprint.js';
import { transportContract } from '../contracts/transport.contract.js';
import { createScratch, hostAt, makeKey } from './scratch.js';
import { startSshServer, startTcpServer } from './test-server.js';

transportContract('ssh2 against a server in this process', async () => {
  const scratch = createScratch();
  const hostKey = makeKey();
  const userKey = makeKey();
  const server = await startSshServer({ hostKeys: [hostKey.privateText], authorized: [userKey.blob] });
  const absent = await startTcpServer(() => undefined);
  await absent.close();
  const transport = createPlainTransport({
    hostKeys: 'strict',
    knownHostsFiles: [scratch.write('known_hosts', `[127.0.0.1]:${server.port} ${hostKey.publicText}\n`)],
    defaultIdentityFiles: [scratch.write('id', userKey.privateText)],
    exitGraceMs: 3_000,
  });
  return {
    transport, host: hostAt(server.port), absentHost: hostAt(absent.port), fingerprint: fingerprintOf(hostKey.blob),
    async close() {
      await server.close();
      scratch.remove();
    },
  };
}, 'noTerminals');
