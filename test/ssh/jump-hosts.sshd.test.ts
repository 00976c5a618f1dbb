/** Jump hosts that are OpenSSH and dropbear themselves. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Host } from '../../src/core/host.js';
import type { Transport } from '../../src/core/ports.js';
import { createJumpTransport, knownLine } from './bastion.js';
import { DROPBEAR_SKIP_REASON, SKIP_WITHOUT_DROPBEAR, startDropbear } from './dropbear.js';
import { createScratch, failureIn, hostAt, makeKey, readAll } from './scratch.js';
import type { Scratch, TestKey } from './scratch.js';
import { SKIP_WITHOUT_SSHD, SSHD_SKIP_REASON, startSshd } from './sshd.js';
import type { Sshd, SshdOptions } from './sshd.js';

const signal = new AbortController().signal;

describe.skipIf(SKIP_WITHOUT_SSHD)(`OpenSSH as jump host (skipped when ${SSHD_SKIP_REASON})`, () => {
  let scratch: Scratch;
  let userKey: TestKey;
  let target: Sshd;
  beforeAll(async () => {
    scratch = createScratch();
    userKey = makeKey();
    target = await startSshd(scratch, { userKey });
  });
  afterAll(async () => {
    await target.close();
    scratch.remove();
  });

  const knownOf = ({ port, hostKeys: [key] }: Sshd): string => knownLine(port, key ?? makeKey());

  function transportOver(port: number, known: string, user: string | undefined): Transport {
    return createJumpTransport({
      scratch, userKey, known: knownOf(target) + known, jumps: () => [{ name: 'bastion-1', port, ...(user === undefined ? {} : { user }) }],
    });
  }

  async function withBastion(options: SshdOptions, act: (transport: Transport, bastion: Sshd) => Promise<void>): Promise<void> {
    const bastion = await startSshd(scratch, { userKey, ...options });
    try {
      await act(transportOver(bastion.port, knownOf(bastion), bastion.host.user), bastion);
    } finally {
      await bastion.close();
    }
  }

  async function exitOf(transport: Transport, host: Host, command: string): Promise<unknown> {
    const shell = await transport.open(host, command, signal);
    shell.stderr.resume();
    await readAll(shell.stdout);
    return shell.ended;
  }

  it('MaxSessions 1 and the default MaxStartups of a jump host are no limit: 20 visits at a time over one connection', async () => {
    await withBastion({ first: ['MaxSessions 1', 'MaxStartups 10:30:100'] }, async (transport, bastion) => {
      const ends = await Promise.all(Array.from({ length: 20 }, (_, code) => exitOf(transport, target.host, `exit ${code}`)));
      expect(ends).toEqual(Array.from({ length: 20 }, (_, code) => ({ how: 'exit', code })));
      expect(bastion.log().match(/Accepted publickey/g)).toHaveLength(1);
    });
  });

  it.each([
    ['AllowTcpForwarding no', ['AllowTcpForwarding no']], ['DisableForwarding yes', ['DisableForwarding yes']], ['PermitOpen of another host', ['PermitOpen 127.0.0.1:1']],
  ])('%s is told as what it is', async (_name, settings) => {
    await withBastion({ settings }, async (transport) => {
      const failure = await failureIn(transport.open(target.host, 'true', signal));
      expect(failure).toMatchObject({ kind: 'jumpHost', next: expect.stringContaining('AllowTcpForwarding') as string });
    });
  });

  it('a host that the jump host cannot reach is the failure of that host, in the words of the jump host', async () => {
    await withBastion({}, async (transport) => {
      const absent = await startSshd(scratch, { userKey });
      await absent.close();
      const failure = await failureIn(transport.open(hostAt(absent.port), 'true', signal));
      expect(failure).toMatchObject({ kind: 'connectTimeout', summary: `127.0.0.1:${absent.port} could not be reached from jump host bastion-1 (Connection refused)` });
    });
  });

  it('a jump host that exchanges keys again and again carries everything', async () => {
    await withBastion({ settings: ['RekeyLimit 1M'] }, async (transport) => {
      const shell = await transport.open(target.host, 'cat', signal);
      shell.stderr.resume();
      const bytes = Buffer.alloc(4 * 1024 * 1024, 'x');
      shell.stdin.end(bytes);
      expect((await readAll(shell.stdout)).equals(bytes)).toBe(true);
    });
  });

  describe.skipIf(SKIP_WITHOUT_DROPBEAR)(`dropbear (skipped when ${DROPBEAR_SKIP_REASON})`, () => {
    it('carries 20 visits at a time over one connection', async () => {
      const bastion = await startDropbear(scratch, { userKey });
      try {
        const known = `[127.0.0.1]:${bastion.port} ${bastion.hostKey.publicText}\n`;
        const transport = transportOver(bastion.port, known, bastion.host.user);
        const ends = await Promise.all(Array.from({ length: 20 }, () => exitOf(transport, target.host, 'exit 3')));
        expect(new Set(ends.map((end) => JSON.stringify(end)))).toEqual(new Set(['{"how":"exit","code":3}']));
      } finally {
        await bastion.close();
      }
    });

    it('without forwarding is told as what it is', async () => {
      const bastion = await startDropbear(scratch, { userKey, words: ['-j'] });
      try {
        const known = `[127.0.0.1]:${bastion.port} ${bastion.hostKey.publicText}\n`;
        const failure = await failureIn(transportOver(bastion.port, known, bastion.host.user).open(target.host, 'true', signal));
        expect(failure).toMatchObject({ kind: 'jumpHost', next: expect.stringContaining('forward') as string });
      } finally {
        await bastion.close();
      }
    });
  });
});
