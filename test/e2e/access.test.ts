/** Ways into a node: sudo, login shells and their rc files, host keys, hosts that are not there. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrange } from '../lab/arrange.js';
import { forEachLimited } from '../lab/command.js';
import { EKS_CONFIG } from '../lab/layouts.js';
import type { Ended, HostDocument } from './fleetmend.js';
import { hostsOf } from './fleetmend.js';
import { lookAt } from './snapshot.js';
import type { NodeTruth } from './snapshot.js';
import type { Stage } from './stage.js';
import { NOBODY, raiseStage } from './stage.js';
import { changedPaths } from './truth.js';

/** What root's .bashrc does; bash reads it for every command over SSH. */
const RC_FILES: Readonly<Record<string, string>> = {
  'rc-prints': "echo 'Welcome!'; printf 'fm-begin-0 1 4\\n\\000\\377\\033[2J'; echo trouble >&2; seq 1 5000",
  'rc-reads-input': 'read -r -t 1 line; echo "I got: $line"',
  'rc-moves-and-sets': "cd /tmp; set -e -u -o pipefail -f; umask 777; IFS=x; alias cat='echo no' stat='echo no'; shopt -s expand_aliases; PATH=/tmp; trap 'echo bye' EXIT; readonly LC_ALL=C; CDPATH=/usr; export POSIXLY_CORRECT=1",
  'rc-execs-a-shell': '[ -z "$BASH_EXECUTION_STRING" ] || exec /bin/dash -c "$BASH_EXECUTION_STRING"',
  'rc-other-language': 'export LANG=de_DE.UTF-8 LC_ALL=de_DE.UTF-8 LANGUAGE=de LC_NUMERIC=de_DE.UTF-8 TZ=Asia/Kathmandu GREP_OPTIONS=-v TIME_STYLE=iso BLOCK_SIZE=human-readable',
  'rc-exports-functions': 'stat() { echo no; }; sha256sum() { echo no; }; base64() { echo no; }; export -f stat sha256sum base64; export ENV=/tmp/none BASH_ENV=/tmp/none',
};
const RC_NODES = Object.keys(RC_FILES);

/** Logins that cannot work: what must be told. */
const DEAD_ENDS: Readonly<Record<string, { readonly command: string; readonly why: RegExp }>> = {
  'shell-is-false': { command: 'usermod -s /bin/false root', why: /no shell for root: the shell ended with exit code 1/ },
  'shell-is-nologin': { command: 'usermod -s /usr/sbin/nologin root', why: /no shell for root: the shell ended with exit code 1/ },
  'rc-ends': { command: "echo 'echo no entry >&2; exit 7' >/root/.bashrc", why: /no shell for root: the shell ended with exit code 7/ },
  'rc-hangs': { command: "echo 'sleep 1000' >/root/.bashrc", why: /no shell for root: no shell within 30 s/ },
  'rc-eats-input': { command: "echo 'cat >/dev/null' >/root/.bashrc", why: /no shell for root: no shell within 30 s/ },
};
const DEAD_NODES = Object.keys(DEAD_ENDS);

describe('ways into a node', () => {
  const names = ['by-sudo', 'by-sudo-noisy', 'sudo-password', 'no-sudo', 'dash-login', 'key-1', 'key-2', 'key-3', 'neighbour', ...RC_NODES, ...DEAD_NODES];
  let stage: Stage;
  let before: (name: string) => NodeTruth;
  let logins: Promise<Ended>;

  beforeAll(async () => {
    stage = await raiseStage(names);
    await forEachLimited(names, 8, async (name) => arrange(stage.node(name), 'flag-dropin'));
    for (const name of RC_NODES) await stage.node(name).writeFile({ path: '/root/.bashrc', content: `${RC_FILES[name]}\n` });
    await stage.node('by-sudo-noisy').writeFile({ path: '/home/ops/.bashrc', content: `${RC_FILES['rc-prints']}\n${RC_FILES['rc-reads-input']}\ncd /tmp; set -e -u\n` });
    for (const [name, { command }] of Object.entries(DEAD_ENDS)) await stage.node(name).mustExec(command);
    await stage.node('dash-login').mustExec('usermod -s /bin/dash root');
    before = await lookAt(stage.lab.nodes);
    // Under way while the others run: a login that hangs is waited for half a minute.
    logins = stage.run('apply', [...RC_NODES, ...DEAD_NODES, 'dash-login']);
    logins.catch(() => undefined);
  });

  afterAll(async () => {
    await stage?.end();
  });

  async function isMended(name: string): Promise<void> {
    const now = (await lookAt([stage.node(name)]))(name);
    const was = before(name);
    expect([name, now.service]).toEqual([name, { ...now.service, ActiveState: 'active', timeout: '4h0m0s', NeedDaemonReload: 'no', starts: was.service.starts + 1 }]);
    expect(await stage.node(name).mustExec(`stat -c '%a %U' ${EKS_CONFIG} /etc/systemd/system/kubelet.service.d/*.conf /var/lib/fleetmend`)).toBe('644 root\n644 root\n644 root\n700 root\n');
  }

  async function isUntouched(name: string): Promise<void> {
    const now = (await lookAt([stage.node(name)]))(name);
    expect([name, changedPaths(before(name).files, now.files)]).toEqual([name, []]);
    expect([name, now.service]).toEqual([name, before(name).service]);
  }

  describe('sudo', () => {
    it('without a password mends as root does, also behind a noisy rc file', async () => {
      const ended = await stage.run('apply', ['by-sudo', 'by-sudo-noisy'], { user: 'ops' });
      expect(new Map([...hostsOf(ended)].map(([name, host]) => [name, host.outcome]))).toEqual(new Map([['by-sudo', 'changed'], ['by-sudo-noisy', 'changed']]));
      expect(ended).toMatchObject({ code: 0, stderr: '' });
      for (const name of ['by-sudo', 'by-sudo-noisy']) await isMended(name);
    });

    it.each([['guest', 'sudo-password', /password/], ['nosudo', 'no-sudo', /password|not allowed|may not/]] as const)(
      'refused to %s refuses the node, says why, with the rule that would allow it, and does not hang',
      async (user, name, words) => {
        const ended = await stage.run('apply', [name], { user });
        const host = hostsOf(ended).get(name);
        expect(host).toMatchObject({ outcome: 'refused', failure: { kind: 'rootRefused', next: expect.stringContaining(`${user} ALL=(root) NOPASSWD: /bin/sh -s`) as string } });
        expect(`${host?.failure?.summary} ${host?.failure?.detail}`).toMatch(words);
        expect(ended.code).toBe(2);
        await isUntouched(name);
      },
    );
  });

  describe('login shells', () => {
    let ended: Ended;
    let hosts: ReadonlyMap<string, HostDocument>;

    beforeAll(async () => {
      ended = await logins;
      hosts = hostsOf(ended);
    });

    it.each([...RC_NODES, 'dash-login'])('%s is no hindrance', async (name) => {
      expect([hosts.get(name)?.outcome, hosts.get(name)?.failure]).toEqual(['changed', undefined]);
      await isMended(name);
    });

    it.each(Object.entries(DEAD_ENDS))('%s ends with a clear reason and an untouched node', async (name, { why }) => {
      expect(hosts.get(name)).toMatchObject({ outcome: 'unreachable', failure: { kind: 'noShell' } });
      expect(hosts.get(name)?.failure?.summary).toMatch(why);
      await isUntouched(name);
    });

    it('together give exit code 2', () => {
      expect(ended).toMatchObject({ code: 2, stderr: '' });
    });
  });

  describe('host keys', () => {
    const keys = ['key-1', 'key-2', 'key-3'];
    const fileOf = (content: string): string => {
      const file = join(stage.folder, `known_hosts-${Math.random().toString(36).slice(2)}`);
      writeFileSync(file, content);
      return file;
    };

    it('that are not known are refused, shown by their fingerprint, and not learnt', async () => {
      const knownHosts = fileOf('');
      const ended = await stage.run('apply', keys, { knownHosts });
      for (const name of keys) {
        const { outcome, failure } = hostsOf(ended).get(name) ?? {};
        expect(outcome).toBe('unreachable');
        expect(failure?.kind).toBe('hostKeyUnknown');
        expect(failure?.summary).toContain(stage.node(name).hostKey);
        await isUntouched(name);
      }
      expect(ended.code).toBe(2);
      expect(readFileSync(knownHosts, 'utf8')).toBe('');
    });

    it('that changed are refused with both fingerprints, with accept-new too', async () => {
      // The first node's address with the second node's key.
      const lines = readFileSync(stage.lab.knownHostsFile, 'utf8').split('\n');
      const other = lines.find((line) => line.startsWith(`${stage.node('key-2').address} `)) ?? '';
      const text = `${stage.node('key-1').address} ${other.split(' ').slice(1).join(' ')}\n`;
      for (const mode of ['strict', 'accept-new']) {
        const knownHosts = fileOf(text);
        const ended = await stage.run('apply', ['key-1'], { knownHosts, arguments: ['--host-keys', mode] });
        const failure = hostsOf(ended).get('key-1')?.failure;
        expect(failure?.kind).toBe('hostKeyChanged');
        expect(failure?.summary).toContain(stage.node('key-1').hostKey);
        expect(failure?.summary).toContain(stage.node('key-2').hostKey);
        expect(ended.code).toBe(2);
        expect(readFileSync(knownHosts, 'utf8')).toBe(text);
      }
      await isUntouched('key-1');
    });

    it('are learnt on first contact when that is asked for, and then hold for a strict run', async () => {
      const knownHosts = fileOf('');
      const learning = await stage.run('audit', keys, { knownHosts, arguments: ['--host-keys', 'accept-new'] });
      expect(learning.code).toBe(4);
      const learnt = readFileSync(knownHosts, 'utf8');
      expect(learnt.trim().split('\n')).toHaveLength(keys.length);
      const strict = await stage.run('audit', keys, { knownHosts });
      expect(new Set([...hostsOf(strict).values()].map((host) => host.verdict))).toEqual(new Set(['fail']));
      expect(readFileSync(knownHosts, 'utf8')).toBe(learnt);
    });
  });

  it('hosts that fail alike are told once, with what stands behind it', async () => {
    const config = join(stage.folder, 'ssh_config');
    writeFileSync(config, "Host *\n  ProxyCommand echo 'no way out of here' >&2\n");
    const ended = await stage.run('audit', ['key-1', 'key-2', 'key-3'], { output: 'text', settings: { ssh: { config } } });
    expect(ended.stdout.match(/the ProxyCommand to the host ended/g)).toHaveLength(1);
    expect(ended.stdout).toContain('no answer  3 hosts: key-[1-3]\n');
    expect(ended.stdout).toContain('the ProxyCommand said: no way out of here\n');
    expect(ended.code).toBe(2);
  });

  it('a host that is not there does not keep its neighbour from being mended', async () => {
    const ended = await stage.run('apply', ['neighbour'], { absent: { nobody: NOBODY, nowhere: 'no-such-name.invalid' } });
    const hosts = hostsOf(ended);
    expect(hosts.get('neighbour')).toMatchObject({ outcome: 'changed' });
    expect(hosts.get('nobody')).toMatchObject({ outcome: 'unreachable', failure: { kind: 'connectTimeout' } });
    expect(hosts.get('nowhere')).toMatchObject({ outcome: 'unreachable', failure: { kind: 'dns' } });
    expect(ended.code).toBe(2);
    await isMended('neighbour');
  });
});
