/** The command line in process: bad input ends with code 1 and words, before anything is reached for. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from './run-command-line.js';

const PLAYBOOK = new URL('../../playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml', import.meta.url).pathname;
let directory: string;
let inventory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fleetmend-cli-'));
  inventory = join(directory, 'inventory.yaml');
  await writeFile(inventory, 'defaults: { user: ops }\ngroups:\n  workers:\n    hosts: ["node-[1:3]"]\n');
});
afterEach(async () => { await rm(directory, { recursive: true }); });

describe('bad input ends with 1 and names what is wrong', () => {
  it.each<[string, string[], RegExp]>([
    ['no command', [], /name a command/],
    ['an unknown command', ['adit'], /Did you mean audit|Unknown/],
    ['an unknown option', ['audit', PLAYBOOK, '-i', 'x', '--frobnicate'], /frobnicate/],
    ['no inventory', ['audit', PLAYBOOK], /inventory/],
    ['a playbook that is not there', ['audit', '/nowhere.yaml', '-i', 'x'], /\/nowhere\.yaml/],
    ['a concurrency of none', ['audit', PLAYBOOK, '-i', 'x', '--concurrency', '0'], /--concurrency: expected a whole number from 1 to 1000, got 0/],
    ['a concurrency that is no number', ['audit', PLAYBOOK, '-i', 'x', '--concurrency', 'many'], /--concurrency/],
    ['a setting without value', ['audit', PLAYBOOK, '-i', 'x', '--set', 'timeout'], /--set: expected NAME=VALUE/],
    ['a zero timeout', ['audit', PLAYBOOK, '-i', 'x', '--set', 'timeout=0s'], /timeout/],
    ['an invalid timeout', ['audit', PLAYBOOK, '-i', 'x', '--set', 'timeout=4hours'], /timeout/],
    ['a parameter that does not exist', ['audit', PLAYBOOK, '-i', 'x', '--set', 'timeut=4h'], /timeut/],
    ['a playbook said twice', ['audit', PLAYBOOK, '--playbook', 'b', '-i', 'x'], /^fleetmend: --playbook: there is no such option; .*fleetmend audit <playbook>\n$/],
    ['a word of a command as an option', ['show', 'r', '--host=b'], /^fleetmend: --host: there is no such option; .*fleetmend show <run> \[host\]\n$/],
    ['two outputs', ['audit', PLAYBOOK, '-i', 'x', '-o', 'json', '--output', 'text'], /^fleetmend: --output: expected one value, got 2: json, text\n$/],
    ['two outputs of hosts', ['hosts', '-i', 'x', '-o', 'json', '-o', 'json'], /^fleetmend: --output: expected one value, got 2: json, json\n$/],
    ['two inventories', ['apply', PLAYBOOK, '-i', 'x', '-i', 'y', '--yes'], /^fleetmend: --inventory: expected one value, got 2: x, y\n$/],
    ['two concurrencies', ['plan', PLAYBOOK, '-i', 'x', '--concurrency', '1', '-c', '2'], /^fleetmend: --concurrency: expected one value, got 2: 1, 2\n$/],
    ['two identity files', ['plan', PLAYBOOK, '-i', 'x', '--identity-file', 'a', '--identity-file', 'b'], /^fleetmend: --identity-file: expected one value, got 2: a, b\n$/],
    ['two ways with host keys', ['plan', PLAYBOOK, '-i', 'x', '--host-keys', 'strict', '--hostKeys', 'accept-new'], /^fleetmend: --host-keys: expected one value, got 2: strict, accept-new\n$/],
    ['several options twice', ['plan', PLAYBOOK, '-i', 'x', '-i', 'y', '-c', '1', '-c', '1'], /--inventory: .*; --concurrency: |--concurrency: .*; --inventory: /],
    ['a second concurrency of one', ['plan', PLAYBOOK, '-i', 'x', '-c', '5', '-c', '1'], /^fleetmend: --concurrency: expected one value, got 2: 5, 1\n$/],
    ['a member of an option', ['audit', PLAYBOOK, '-i', 'x', '--inventory.x', 'y'], /inventory\.x/],
    ['an output that does not exist', ['audit', PLAYBOOK, '-i', 'x', '--output', 'xml'], /xml/],
  ])('%s', async (_, argv, words) => {
    const { code, out, err } = await run(...argv);
    expect(err).toMatch(words);
    expect(code).toBe(1);
    expect(out).toBe('');
  });

  it('a target expression that selects nothing is an error, not an empty success', async () => {
    const { code, err } = await run('audit', PLAYBOOK, '-i', inventory, '--limit', 'nope*');
    expect(code).toBe(1);
    expect(err).toContain('nope*');
  });
  it('apply without a terminal and without --yes changes nothing', async () => {
    const { code, err } = await run('apply', PLAYBOOK, '-i', inventory);
    expect(code).toBe(1);
    expect(err).toContain('--yes');
  });
  it('all errors of an inventory are told at once, with their places', async () => {
    await writeFile(inventory, 'defaults: { port: abc, usr: x }\ngroups: {}\n');
    const { code, err } = await run('hosts', '-i', inventory);
    expect(code).toBe(1);
    expect(err).toMatch(/inventory\.yaml:1:\d+: .*port/);
    expect(err).toMatch(/inventory\.yaml:1:\d+: .*usr/);
  });
});

describe('commands that reach for no host', () => {
  it('hosts lists what a target expression means', async () => {
    const { code, out } = await run('hosts', '-i', inventory, '--limit', 'node-*,!node-2');
    expect(code).toBe(0);
    expect(out.trimEnd().split('\n').map((line) => line.split(' ')[0])).toEqual(['node-1', 'node-3']);
  });
  it('--limit may be given several times', async () => {
    const { code, out } = await run('hosts', '-i', inventory, '-l', 'node-1', '--limit', 'node-3');
    expect(code).toBe(0);
    expect(out.trimEnd().split('\n').map((line) => line.split(' ')[0])).toEqual(['node-1', 'node-3']);
  });
  it('a switch may be given twice', async () => {
    const { err } = await run('apply', PLAYBOOK, '-i', '/nowhere.yaml', '--yes', '-y');
    expect(err).toContain('/nowhere.yaml');
  });
  it('check takes several playbooks', async () => {
    const { code, out } = await run('check', PLAYBOOK, PLAYBOOK);
    expect(code).toBe(0);
    expect(out.trimEnd().split('\n')).toHaveLength(2);
  });
  it('hosts gives JSON', async () => {
    const { out } = await run('hosts', '-i', inventory, '-o', 'json');
    expect((JSON.parse(out) as { name: string }[]).map((host) => host.name)).toEqual(['node-1', 'node-2', 'node-3']);
  });
  it('check says what a playbook is', async () => {
    const { code, out } = await run('check', PLAYBOOK);
    expect(code).toBe(0);
    expect(out).toContain('3.2.5');
  });
});

describe('help', () => {
  it('names every command and the exit codes', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    for (const word of ['audit <playbook>', 'plan <playbook>', 'apply <source>', 'hosts', 'check <playbooks..>', 'sudoers <playbook>', 'completion', 'Exit codes: 0']) expect(out).toContain(word);
  });
  it('states the defaults of apply', async () => {
    const { out } = await run('apply', '--help');
    expect(out).toMatch(/hosts looked at at once, 64 by\s+default; and\s+changed at once where no\s+`within`\s+says\s+otherwise/);
    expect(out).toMatch(/strict,\s+the\s+default\s+where\s+ssh_config\s+says\s+nothing:\s+only\s+host\s+keys/);
    for (const option of ['--waves', '--budget', '--budget-per', '--on-stop', '--rerun', '--approve']) expect(out).toContain(option);
    expect(out).toContain('--yes');
  });
  it('gives a completion script', async () => {
    expect((await run('completion')).out).toContain('fleetmend');
  });
  it.each([
    ['', ['sudoers', 'hosts', 'unlock']],
    ['audit', ['--ssh-config', '-F', '--proxy-jump', '-J', '--ask-password', '--ask-become-password', '-K', '--legacy-algorithms', '--verbose', '-v']],
    ['resume', ['--ssh-config', '-F', '-J', '-K']],
    ['sudoers', ['--scope', '--user']],
  ])('completes the words of "%s"', async (command, expected) => {
    const words = ['fleetmend', ...(command === '' ? [''] : [command, '-'])];
    const { out } = await run('--get-yargs-completions', ...words);
    expect(out.split('\n').map((line) => line.split(':')[0])).toEqual(expect.arrayContaining(expected));
  });
});
