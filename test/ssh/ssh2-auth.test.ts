/** The contract with what of ssh2's login is taken over. A failure here means: read ssh2-auth.ts again before you change the version. */
import { expect, it } from 'vitest';
import { takeOverLogin } from '../../src/ssh/ssh2-auth.js';
import ssh2 from '../../src/ssh/ssh2.js';
import type { ServerAnswer } from '../../src/ssh/user-auth-messages.js';
import { keyQuery, noneRequest } from '../../src/ssh/user-auth-messages.js';
import { createLab, never } from './lab.js';
import { makeKey } from './scratch.js';
import { authorize } from './test-server.js';

it.each([{}, { _protocol: {} }, { _protocol: { _handlers: { USERAUTH_SUCCESS: () => undefined } } }])('an unexpected client (%j) is left alone', (client) => {
  expect(takeOverLogin(client as never, () => undefined, () => true)).toBeUndefined();
});

it('requests go out, answers come in, and the session and the signatures of the server are known', async () => {
  const lab = await createLab();
  const client = new ssh2.Client();
  client.on('error', () => undefined);
  const answers: ServerAnswer[] = [];
  let onStart: () => void = () => undefined;
  const started = new Promise<void>((resolve) => (onStart = resolve));
  client.connect({ host: '127.0.0.1', port: lab.server.port, username: 'tester', hostVerifier: () => true, authHandler: () => onStart() });
  let tell: () => void = () => undefined;
  const wire = takeOverLogin(client, (answer) => { answers.push(answer); tell(); }, () => true);
  if (wire === undefined) throw new Error('not taken over');
  const answered = (): Promise<void> => new Promise((resolve) => (tell = resolve));
  await started;
  expect(wire.sessionId().length).toBeGreaterThanOrEqual(32);
  wire.send(noneRequest('tester'), 'none');
  await answered();
  wire.send(keyQuery('tester', { requested: 'ssh-ed25519', signed: 'ssh-ed25519' }, lab.userKey.blob), 'publickey');
  await answered();
  expect(answers).toEqual([{ answer: 'failure', methods: ['publickey'], partial: false }, { answer: 'keyAccepted', blob: lab.userKey.blob }]);
  // ssh2's own server names them (RFC 8308).
  expect(wire.serverSignatures()).toContain('ssh-ed25519');
  client.destroy();
});

it('a key exchange in the middle of a login does no harm', async () => {
  const lab = await createLab({
    onAuthentication: (context, client) => {
      authorize([lab.userKey.blob])(context);
      if (context.method === 'publickey' && context.signature === undefined) client.rekey();
    },
  });
  const files = [makeKey().privateText, lab.userKey.privateText].map((text, index) => lab.scratch.write(`id-${index}`, text));
  await (await lab.transport({ defaultIdentityFiles: files }).open(lab.host, 'true', never)).close();
});

it('what is sent while keys are exchanged waits for the end of that, and nothing is sent on a dead connection', () => {
  const sent: string[] = [];
  const protocol = {
    _handlers: { USERAUTH_SUCCESS: () => undefined, USERAUTH_FAILURE: () => undefined, EXT_INFO: () => undefined }, _authsQueue: [] as string[],
    _kexinit: undefined as unknown, _queue: undefined as Buffer[] | undefined, _cipher: { encrypt: (packet: Buffer) => sent.push(packet.toString()) },
    _packetRW: { write: { allocStart: 1, alloc: (bytes: number) => Buffer.alloc(bytes + 1, 0x2e), finalize: (packet: Buffer) => packet } },
  };
  let isOpen = true;
  const wire = takeOverLogin({ _protocol: protocol } as never, () => undefined, () => isOpen);
  wire?.send(Buffer.from('one'), 'none');
  protocol._kexinit = {};
  wire?.send(Buffer.from('two'), 'publickey');
  isOpen = false;
  wire?.send(Buffer.from('three'), 'publickey');
  expect([sent, protocol._queue?.map(String), protocol._authsQueue]).toEqual([['.one'], ['.two'], ['none', 'publickey']]);
});
