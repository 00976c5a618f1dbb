/** Becoming root through the real sudo, doas and su over a real sshd: every way in, and every way of being refused. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failureOf, type Failure } from '../../src/core/failure.js';
import type { BecomeMethod, Becoming, Host } from '../../src/core/host.js';
import type { Secrets, Transport } from '../../src/core/ports.js';
import type { Query } from '../../src/core/query.js';
import type { SecretRequest } from '../../src/core/secret.js';
import { createConnector } from '../../src/host/connector.js';
import { doasLine, rootCommand, sudoersLine } from '../../src/host/sudo-rules.js';
import { DEPLOY_PASSWORD, ROOT_PASSWORD, SKIP_WITHOUT_ROOT_NODE, startRootNode, type RootNode } from './root-node.js';

const quiet = (): AbortSignal => new AbortController().signal;
const PROMPT: Becoming = { password: { from: 'prompt' } };
const PTY: Becoming = { terminal: 'pty' };
const LONG = '/usr/bin/dpkg';

function answering(answers: Readonly<Record<string, string>>): Secrets & { readonly asked: SecretRequest[] } {
  const asked: SecretRequest[] = [];
  return {
    asked,
    read: (request) => {
      asked.push(request);
      const answer = answers[request.label];
      return answer === undefined ? Promise.reject(new Error(`no ${request.label}`)) : Promise.resolve(answer);
    },
  };
}

const ANSWERS = { 'sudo password of deploy': DEPLOY_PASSWORD, 'doas password of deploy': DEPLOY_PASSWORD, 'root password': ROOT_PASSWORD };

describe.skipIf(SKIP_WITHOUT_ROOT_NODE)('becoming root (skipped without root, sudo, doas and mount namespaces)', () => {
  let node: RootNode;
  beforeAll(async () => {
    node = await startRootNode();
  });
  afterAll(() => node.close());

  /** More than a terminal takes on one line, unless it was told to take bytes. */
  const longLine = Array.from({ length: 200 }, (_, index): Query => ({ ask: 'file', path: `/nonexistent/with a long name/${index}` }));

  /** Who we are there, and whether long requests and long answers arrive whole. */
  async function visit(host: Host, secrets: Secrets = answering(ANSWERS), transport: Transport = node.transport): Promise<unknown> {
    const session = await createConnector(transport, { secrets, startTimeoutMs: 8_000 }).openToRead(host, quiet());
    try {
      const [capability, file] = await session.ask([{ ask: 'capability' }, { ask: 'file', path: LONG }]);
      const missing = await session.ask(longLine);
      expect(missing.every((answer) => answer.ok && answer.ask === 'file' && !answer.value.exists)).toBe(true);
      return [capability?.ok && capability.ask === 'capability' ? capability.value.uid : capability, file?.ok && file.ask === 'file' && file.value.exists ? file.value.bytes.length === file.value.size && file.value.size > 100_000 : file];
    } finally {
      await session.close();
    }
  }
  const refusal = (host: Host, secrets?: Secrets, transport?: Transport): Promise<Failure> =>
    visit(host, secrets, transport).then((got) => { throw new Error(`let in: ${JSON.stringify(got)}`); }, failureOf);
  const exact = (become: BecomeMethod, becoming: Becoming = {}): void =>
    node.allow(become === 'doas' ? { doas: doasLine('deploy', rootCommand(become, becoming), becoming) } : { sudoers: sudoersLine('deploy', rootCommand(become, becoming), becoming) });

  it.each<[string, BecomeMethod, Becoming]>([
    ['sudo without a password', 'sudo', {}],
    ['sudo with a password', 'sudo', PROMPT],
    ['sudo on a terminal', 'sudo', PTY],
    ['sudo on a terminal with a password', 'sudo', { ...PROMPT, ...PTY }],
    ['doas without a password', 'doas', {}],
    ['doas with a password', 'doas', PROMPT],
    ['doas on a terminal without a password', 'doas', PTY],
    ['su with root\'s password', 'su', PROMPT],
  ])('%s gives a root shell by exactly the rule that is named, and every byte arrives', async (_name, become, becoming) => {
    exact(become, becoming);
    expect(await visit(node.host(become, becoming))).toEqual([0, true]);
  });

  it('su without a password gives a root shell where the node asks for none', async () => {
    node.allow({ auth: 'auth sufficient pam_permit.so' });
    expect(await visit(node.host('su'))).toEqual([0, true]);
  });

  it('su that would ask is refused at once, and takes none of our text for a password', async () => {
    node.allow({});
    expect(await refusal(node.host('su'))).toMatchObject({ kind: 'rootRefused', summary: 'su gave deploy no root shell' });
  });

  it('a terminal is given where sudo insists on one, and only then', async () => {
    const line = `Defaults requiretty\ndeploy ALL=(root) NOPASSWD: ALL`;
    node.allow({ sudoers: line });
    expect(await refusal(node.host('sudo'))).toMatchObject({ kind: 'rootRefused', detail: expect.stringContaining('tty') as string, next: expect.stringContaining('tty: true') as string });
    expect(await visit(node.host('sudo', PTY))).toEqual([0, true]);
    expect(await visit(node.host('sudo', { ...PTY, ...PROMPT }))).toEqual([0, true]);
  });

  it('a terminal that sudo puts between changes no byte', async () => {
    node.allow({ sudoers: 'Defaults use_pty\ndeploy ALL=(root) NOPASSWD: ALL' });
    expect(await visit(node.host('sudo', PTY))).toEqual([0, true]);
    expect(await visit(node.host('sudo'))).toEqual([0, true]);
  });

  it('a password that nobody asks for is not sent', async () => {
    node.allow({ sudoers: 'deploy ALL=(root) NOPASSWD: ALL', doas: 'permit nopass deploy', auth: 'auth sufficient pam_permit.so' });
    const { transport, sent } = listening(node.transport);
    for (const [become, becoming] of [['sudo', PROMPT], ['sudo', { ...PROMPT, ...PTY }], ['doas', PROMPT], ['su', PROMPT]] as const) {
      expect(await visit(node.host(become, becoming), undefined, transport)).toEqual([0, true]);
    }
    expect(sent()).not.toMatch(/half a key|root of all/);
  });

  it('a password is sent on the input, alone, and never in the command', async () => {
    exact('sudo', PROMPT);
    const { transport, sent, commands } = listening(node.transport);
    expect(await visit(node.host('sudo', PROMPT), undefined, transport)).toEqual([0, true]);
    expect(sent().startsWith(`go\n${DEPLOY_PASSWORD}\nfm_nonce=`)).toBe(true);
    expect(commands()).not.toContain(DEPLOY_PASSWORD);
  });

  it.each<[BecomeMethod, Becoming]>([['sudo', PROMPT], ['sudo', { ...PROMPT, ...PTY }], ['doas', PROMPT], ['su', PROMPT]])('a wrong password of %s %j is tried once and told, and never shown', async (become, becoming) => {
    node.allow({ sudoers: 'deploy ALL=(root) ALL', doas: 'permit deploy' });
    const { transport, sent } = listening(node.transport);
    const wrong = answering(Object.fromEntries(Object.keys(ANSWERS).map((label) => [label, 'not the key'])));
    const failure = await refusal(node.host(become, becoming), wrong, transport);
    expect(failure.kind).toBe('rootRefused');
    expect(sent()).toBe('go\nnot the key\n');
    expect(JSON.stringify(failure)).not.toContain('not the key');
  });

  it('a password that no sudoers line makes use of is refused in sudo\'s words, with the line that would', async () => {
    node.allow({});
    const failure = await refusal(node.host('sudo', PROMPT));
    expect(failure).toMatchObject({ kind: 'rootRefused', summary: 'sudo gave deploy no root shell for the password', next: expect.stringContaining('deploy ALL=(root) /bin/sh -c echo fm-root; exec /bin/sh -s') as string });
    expect(failure.detail).toContain('deploy is not in the sudoers file');
  });

  it.each<[BecomeMethod, Becoming, string]>([
    ['sudo', {}, 'deploy ALL=(root) NOPASSWD: /bin/sh -s'],
    ['sudo', PTY, 'deploy ALL=(root) NOPASSWD: /bin/sh -c stty raw -echo;'],
    ['doas', {}, 'permit nopass deploy as root cmd /bin/sh args -s'],
    ['doas', PTY, 'permit nopass deploy as root cmd /bin/sh args -c "stty raw'],
  ])('%s %j without a rule is refused with the rule', async (become, becoming, rule) => {
    node.allow({});
    expect(await refusal(node.host(become, becoming))).toMatchObject({ kind: 'rootRefused', next: expect.stringContaining(rule) as string });
  });

  it('a host that asks on its terminal although no password is configured is refused at once', async () => {
    node.allow({});
    expect(await refusal(node.host('su', PTY))).toMatchObject({ kind: 'rootRefused', summary: 'su asks deploy for a password, and the inventory names none' });
  });
});

/** What was written to nodes, and the commands. */
function listening(inner: Transport): { readonly transport: Transport; sent(): string; commands(): string } {
  let sent = '';
  let commands = '';
  return {
    sent: () => sent,
    commands: () => commands,
    transport: {
      async open(host, command, signal, terminal) {
        commands += `${command}\n`;
        const stream = await inner.open(host, command, signal, terminal);
        const write = stream.stdin.write.bind(stream.stdin);
        stream.stdin.write = ((text: string) => {
          sent += text;
          return write(text);
        }) as typeof stream.stdin.write;
        return stream;
      },
    },
  };
}
