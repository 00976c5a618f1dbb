import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildGuard, buildLibrary, DEFAULT_PLACES } from '../../src/host/library.js';
import { embedShell } from './embed-shell.js';

const NONCE = '0123456789abcdef0123456789abcdef';
const library = (purpose: 'read' | 'readNarrowly' | 'write'): string => buildLibrary(NONCE, purpose, DEFAULT_PLACES);
const mayRun = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;

/** Shell text without comments and without the text inside quotes. */
function bareShell(text: string): string {
  return text.replace(/^\s*#.*$/gm, '').replace(/'[^']*'/g, "''").replace(/"[^"\n]*"/g, '""');
}

describe('the shell text', () => {
  it('in the package is the text of the shell files', () => {
    for (const { modulePath, moduleText } of embedShell()) expect(readFileSync(modulePath, 'utf8')).toBe(moduleText);
  });

  it.each(['read', 'readNarrowly'] as const)('for reading (%s) holds no word that changes a node', (purpose) => {
    const bare = bareShell(library(purpose));
    expect(bare).not.toMatch(/\b(mv|rm|rmdir|mkdir|cp|ln|chmod|chown|touch|tee|dd|mktemp|install|truncate|sync|kill|mount|umount|chattr|logger)\b/);
    expect(bare.match(/systemctl +(?!show\b|status\b|cat\b|is-active\b|--version\b|curl\b)[a-z-]+/g) ?? []).toEqual([]);
    expect(bare.match(/[0-9]*>[>|]?(?!\/dev\/null|&[0-9])\S*/g) ?? []).toEqual([]);
    expect(library(purpose)).not.toContain('fm_do_edit');
    expect(library('write')).toContain('fm_do_edit');
  });

  it('is quiet in shellcheck', (context) => {
    if (!mayRun('shellcheck') && !process.env['CI']) return context.skip('shellcheck is not installed');
    const directory = mkdtempSync(join(tmpdir(), 'fleetmend-shellcheck-'));
    try {
      const file = join(directory, 'library.sh');
      writeFileSync(file, library('write').replace(/^/, '# shellcheck shell=sh disable=SC2154,SC2034,SC2317\n'));
      const narrow = join(directory, 'narrow.sh');
      writeFileSync(narrow, library('readNarrowly').replace(/^/, '# shellcheck shell=sh disable=SC2154,SC2034,SC2317\n'));
      const guard = join(directory, 'guard.sh');
      writeFileSync(guard, buildGuard(DEFAULT_PLACES).replace(/^/, '# shellcheck shell=sh disable=SC2154,SC2034,SC2317\n'));
      const { stdout, status } = spawnSync('shellcheck', ['-s', 'sh', file, narrow, guard], { encoding: 'utf8' });
      expect(stdout).toBe('');
      expect(status).toBe(0);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it.for([['dash'], ['bash', '--posix'], ['busybox', 'sh']])('is understood by %s, and a part of it does nothing', ([shell = '', ...args], context) => {
    if (spawnSync(shell, [...args, '-c', ':']).error && !process.env['CI']) return context.skip(`${shell} is not installed`);
    for (const purpose of ['read', 'readNarrowly', 'write'] as const) {
      const { status, stderr } = spawnSync(shell, [...args, '-n'], { input: library(purpose), encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    }
    const text = library('write');
    for (let length = 0; length < text.length; length += Math.ceil(text.length / 25)) {
      expect(spawnSync(shell, [...args, '-s'], { input: text.slice(0, length), encoding: 'utf8' }).stdout).toBe('');
    }
  });

  it.for([['dash'], ['bash', '--posix'], ['busybox', 'sh']])('of the guard is understood by %s', ([shell = '', ...args], context) => {
    if (spawnSync(shell, [...args, '-c', ':']).error && !process.env['CI']) return context.skip(`${shell} is not installed`);
    const { status, stderr } = spawnSync(shell, [...args, '-n'], { input: buildGuard(DEFAULT_PLACES), encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('takes no setting that could be more than a plain word', () => {
    expect(() => buildLibrary(NONCE, 'read', { ...DEFAULT_PLACES, stateRoot: '/var/lib/$(reboot)' })).toThrow(RangeError);
  });
});
