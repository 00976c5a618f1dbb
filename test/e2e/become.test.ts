/** Becoming root on real nodes: with exactly the rules that `fleetmend sudoers` prints, with passwords, and over a terminal. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrange } from '../lab/arrange.js';
import { forEachLimited, quote } from '../lab/command.js';
import { EKS_CONFIG } from '../lab/layouts.js';
import { commandOf, hostsOf } from './fleetmend.js';
import { shortPlaybook } from './playbook.js';
import { lookAt } from './snapshot.js';
import type { NodeTruth } from './snapshot.js';
import type { Access, Stage } from './stage.js';
import { raiseStage } from './stage.js';
import { changedPaths } from './truth.js';

const NAMES = ['shell-rule', 'narrow', 'rule-missing', 'one-password', 'wrong-password', 'own-password-1', 'own-password-2', 'by-su', 'wants-terminal'];
const NARROW: Access = { user: 'nosudo', settings: { become: { method: 'sudo', scope: 'commands' } } };
const ROOT_PASSWORD = 'r00t of \'all" evil';

describe('becoming root', () => {
  let stage: Stage;
  let playbook: string;
  let before: (name: string) => NodeTruth;

  beforeAll(async () => {
    stage = await raiseStage(NAMES);
    playbook = join(stage.folder, 'short.yaml');
    writeFileSync(playbook, shortPlaybook({ for: '5s', within: '30s' }));
    await forEachLimited(NAMES, 8, async (name) => arrange(stage.node(name), 'flag-dropin'));
    // As the benchmark wants it: nobody but root reads the configuration, here not even that there is one.
    for (const name of ['narrow', 'rule-missing']) await stage.node(name).mustExec(`chmod 600 ${EKS_CONFIG}; chmod 700 $(dirname ${EKS_CONFIG})`);
    for (const name of ['own-password-1', 'own-password-2']) await stage.node(name).mustExec(`echo guest:${quote(`only for ${name}`)} | chpasswd`);
    await stage.node('by-su').mustExec(`echo ${quote(`root:${ROOT_PASSWORD}`)} | chpasswd`);
    await stage.node('wants-terminal').mustExec("echo 'Defaults requiretty' >>/etc/sudoers.d/lab");
    before = await lookAt(stage.lab.nodes);
  });

  afterAll(async () => {
    await stage?.end();
  });

  async function printRules(...words: string[]): Promise<string> {
    const ended = await stage.launch(commandOf(['sudoers', playbook, '--user', 'nosudo', ...words])).ended;
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    return ended.stdout;
  }
  async function install(name: string, rules: string): Promise<void> {
    await stage.node(name).writeFile({ path: '/etc/sudoers.d/fleetmend', content: rules, mode: 0o440 });
    await stage.node(name).mustExec('visudo -c -f /etc/sudoers.d/fleetmend');
  }
  async function isMended(name: string): Promise<void> {
    const now = (await lookAt([stage.node(name)]))(name);
    expect([name, now.service]).toEqual([name, { ...now.service, ActiveState: 'active', timeout: '4h0m0s', starts: before(name).service.starts + 1 }]);
  }
  async function isUntouched(name: string): Promise<void> {
    const now = (await lookAt([stage.node(name)]))(name);
    expect([name, changedPaths(before(name).files, now.files).filter((path) => !/^\/etc(\/sudoers\.d(\/fleetmend)?)?$/.test(path))]).toEqual([name, []]);
    expect([name, now.service]).toEqual([name, before(name).service]);
  }
  const outcomes = (ended: { readonly stdout: string; readonly stderr: string; readonly code: number | null }): Record<string, string | undefined> =>
    Object.fromEntries([...hostsOf(ended)].map(([name, host]) => [name, host.failure?.summary ?? host.outcome]));
  /** Nothing that fleetmend wrote or said holds it. */
  function isNowhere(secret: string, ...said: string[]): void {
    const files = readdirSync(stage.folder, { recursive: true, encoding: 'utf8' }).map((file) => join(stage.folder, file)).filter((file) => statSync(file).isFile());
    for (const text of [...said, ...files.map((file) => readFileSync(file, 'utf8'))]) expect(text.includes(secret)).toBe(false);
  }

  it('the printed rule of the root shell is enough to mend', async () => {
    await install('shell-rule', await printRules());
    const ended = await stage.run('apply', ['shell-rule'], { user: 'nosudo' });
    expect(outcomes(ended)).toEqual({ 'shell-rule': 'changed' });
    await isMended('shell-rule');
  });

  it('the printed rules without a root shell are enough to audit and to plan, and find what root finds', async () => {
    const rules = await printRules('--scope', 'commands');
    expect(rules).not.toMatch(/^[^#].*\/bin\/sh/m);
    await install('narrow', rules);
    const byRoot = hostsOf(await stage.run('plan', ['narrow'])).get('narrow')?.plan;
    const audited = await stage.run('audit', ['narrow'], NARROW);
    expect(hostsOf(audited).get('narrow')).toMatchObject({ verdict: 'fail', finding: { readings: byRoot?.finding.readings } });
    const planned = hostsOf(await stage.run('plan', ['narrow'], NARROW)).get('narrow')?.plan;
    expect(planned?.refusal).toBeUndefined();
    expect(planned?.steps).toEqual(byRoot?.steps);
    expect(byRoot?.steps.length).toBeGreaterThan(2);
  });

  it('without a root shell nothing is changed, and why is told', async () => {
    const ended = await stage.run('apply', ['narrow'], NARROW);
    expect(hostsOf(ended).get('narrow')).toMatchObject({ outcome: 'refused', failure: { kind: 'rootRefused', summary: expect.stringContaining('scope: commands') as string } });
    expect(ended.code).toBe(2);
    await isUntouched('narrow');
  });

  it('one missing rule refuses the host with that line, and the line is what was missing', async () => {
    const all = (await printRules('--scope', 'commands')).split('\n');
    const line = all.find((rule) => rule.endsWith(`/bin/cat -- ${EKS_CONFIG}`)) ?? '';
    const rest = all.filter((rule) => rule !== line).join('\n');
    await install('rule-missing', rest);
    const refused = hostsOf(await stage.run('audit', ['rule-missing'], NARROW)).get('rule-missing')?.failure;
    expect(refused).toMatchObject({ kind: 'rootRefused', next: expect.stringContaining(line) as string });
    await install('rule-missing', `${rest}${line}\n`);
    expect(hostsOf(await stage.run('audit', ['rule-missing'], NARROW)).get('rule-missing')).toMatchObject({ verdict: 'fail' });
  });

  it('one password for all mends, and stands nowhere', async () => {
    const access: Access = { user: 'guest', settings: { become: { method: 'sudo', passwordEnv: 'GUEST_PASSWORD' } } };
    const ended = await stage.run('apply', ['one-password'], { ...access, environment: { GUEST_PASSWORD: 'guest' } });
    expect(outcomes(ended)).toEqual({ 'one-password': 'changed' });
    await isMended('one-password');
  });

  it('a password of its own for each host comes from a command, and stands nowhere', async () => {
    const become = { method: 'sudo', passwordCommand: ['/bin/echo', 'only for {host}'] };
    const names = ['own-password-1', 'own-password-2'];
    const ended = await stage.run('apply', names, { user: 'guest', settings: { become } });
    expect(outcomes(ended)).toEqual({ 'own-password-1': 'changed', 'own-password-2': 'changed' });
    isNowhere('only for own-password-1', ended.stdout, ended.stderr);
    for (const name of names) {
      await isMended(name);
      expect(await stage.node(name).mustExec('journalctl --no-pager -q; grep -rl "only for" /etc /var/lib /run/log 2>/dev/null || :')).not.toContain('only for own');
    }
  });

  it('a wrong password refuses the host after one try, and stands nowhere', async () => {
    const access: Access = { user: 'guest', settings: { become: { method: 'sudo', passwordEnv: 'GUEST_PASSWORD' } } };
    const ended = await stage.run('apply', ['wrong-password'], { ...access, environment: { GUEST_PASSWORD: 'not the guest of honour' } });
    expect(hostsOf(ended).get('wrong-password')).toMatchObject({ outcome: 'refused', failure: { kind: 'rootRefused', summary: 'sudo did not accept the password of guest' } });
    expect(ended.code).toBe(2);
    isNowhere('not the guest of honour', ended.stdout, ended.stderr);
    await isUntouched('wrong-password');
    expect(await stage.node('wrong-password').mustExec('journalctl --no-pager -q | grep -c "sudo.*authentication failure"')).toBe('1\n');
  });

  it('su with root\'s password mends', async () => {
    const ended = await stage.run('apply', ['by-su'], { user: 'nosudo', settings: { become: { method: 'su', passwordEnv: 'ROOT_PASSWORD' } }, environment: { ROOT_PASSWORD } });
    expect(outcomes(ended)).toEqual({ 'by-su': 'changed' });
    isNowhere(ROOT_PASSWORD, ended.stdout, ended.stderr);
    await isMended('by-su');
  });

  it('a sudo that insists on a terminal is given one', async () => {
    const refused = hostsOf(await stage.run('audit', ['wants-terminal'], { user: 'ops' })).get('wants-terminal')?.failure;
    expect(refused).toMatchObject({ kind: 'rootRefused', next: expect.stringContaining('tty: true') as string });
    const ended = await stage.run('apply', ['wants-terminal'], { user: 'ops', settings: { become: { method: 'sudo', tty: true } } });
    expect(outcomes(ended)).toEqual({ 'wants-terminal': 'changed' });
    await isMended('wants-terminal');
  });
});
