/** The port's contract over the system's own ssh, against both servers. */
import { describe } from 'vitest';
import { createOpenSshTransport } from '../../src/openssh/transport.js';
import { fingerprintOf } from '../../src/ssh/fingerprint.js';
import { transportContract } from '../contracts/transport.contract.js';
import type { TransportUnderTest } from '../contracts/transport.contract.js';
import { DROPBEAR_SKIP_REASON, SKIP_WITHOUT_DROPBEAR, startDropbear } from '../ssh/dropbear.js';
import type { Dropbear } from '../ssh/dropbear.js';
import { createScratch, hostAt } from '../ssh/scratch.js';
import type { Scratch } from '../ssh/scratch.js';
import { startSshd, SKIP_WITHOUT_SSHD, SSHD_SKIP_REASON } from '../ssh/sshd.js';
import { startTcpServer } from '../ssh/test-server.js';

async function underTest(scratch: Scratch, server: Pick<Dropbear, 'host' | 'port' | 'userKey' | 'close'>, hostKey: Dropbear['hostKey'] | undefined): Promise<TransportUnderTest> {
  const absent = await startTcpServer(() => undefined);
  await absent.close();
  const known = scratch.write('known', `[127.0.0.1]:${server.port} ${hostKey?.publicText}\n`);
  return {
    transport: createOpenSshTransport({ environment: process.env, knownHostsFiles: [known] }),
    host: { ...server.host, identityFile: scratch.write('id', server.userKey.privateText), ssh: { config: 'none' } }, absentHost: hostAt(absent.port),
    fingerprint: fingerprintOf(hostKey?.blob ?? Buffer.alloc(0)), signalName: 'unknown',
    async close() {
      await server.close();
      scratch.remove();
    },
  };
}

describe.skipIf(SKIP_WITHOUT_SSHD)(`skipped when ${SSHD_SKIP_REASON}`, () => {
  transportContract('the ssh program against OpenSSH', async () => {
    const scratch = createScratch();
    const sshd = await startSshd(scratch, { settings: ['KexAlgorithms curve25519-sha256'] });
    return underTest(scratch, sshd, sshd.hostKeys[0]);
  });
});

describe.skipIf(SKIP_WITHOUT_SSHD)(`skipped when ${SSHD_SKIP_REASON}`, () => {
  transportContract('the ssh program against OpenSSH through a jump host', async () => {
    const scratch = createScratch();
    const settings = ['KexAlgorithms curve25519-sha256'];
    const sshd = await startSshd(scratch, { settings });
    const gate = await startSshd(scratch, { settings, userKey: sshd.userKey });
    const direct = await underTest(scratch, sshd, sshd.hostKeys[0]);
    const known = scratch.write('both', [sshd, gate].map(({ port, hostKeys }) => `[127.0.0.1]:${port} ${hostKeys[0]?.publicText}\n`).join(''));
    const jump = `${gate.host.user}@127.0.0.1:${gate.port}`;
    const identityFile = direct.host.identityFile ?? '';
    return {
      ...direct, host: { ...direct.host, ssh: { config: 'none', proxyJump: [jump], jumpHosts: [{ jump, name: 'gate', identityFile, ssh: { config: 'none' } }] } },
      transport: createOpenSshTransport({ environment: process.env, knownHostsFiles: [known] }),
      async close() {
        await gate.close();
        await direct.close();
      },
    };
  });
});

describe.skipIf(SKIP_WITHOUT_DROPBEAR)(`skipped when ${DROPBEAR_SKIP_REASON}`, () => {
  transportContract('the ssh program against dropbear', async () => {
    const scratch = createScratch();
    const dropbear = await startDropbear(scratch);
    return { ...(await underTest(scratch, dropbear, dropbear.hostKey)), lateOutput: 'dropped' };
  });
});
