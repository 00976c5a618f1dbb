/** What moved between two looks, in words: names, short digests, words of command lines; a secret keeps its flag beside it. */
import { describe, expect, it } from 'vitest';
import { differences } from '../../src/core/moved.js';
import type { Observed } from '../../src/core/observed.js';

const NONE: Observed = { files: {}, directories: {}, units: {}, commandLines: {}, versions: {} };
const A = 'a'.repeat(32);
const B = 'b'.repeat(32);
const words = (...list: string[]): Partial<Observed> => ({ commandLines: { 'k.service': list } });

describe('differences are told by name', () => {
  it.each<[Partial<Observed>, Partial<Observed>, string[]]>([
    [{ files: { '/f': A } }, { files: { '/f': A } }, []],
    [{ files: { '/f': A } }, { files: { '/f': B } }, ['/f: other content (aaaaaaaaaaaa, now bbbbbbbbbbbb)']],
    [{ files: { '/f': A } }, { files: { '/f': 'absent' } }, ['/f: gone']],
    [{ files: { '/f': 'absent' } }, { files: { '/f': B } }, ['/f: there now (bbbbbbbbbbbb)']],
    [{ files: { '/f': A } }, { files: { '/f': 'unread' } }, ['/f: other content (aaaaaaaaaaaa, now unread)']],
    [{ files: { '/f': A } }, { files: { '/f': `${A} at /g` } }, ['/f: leads to /g, not to itself any more']],
    [{ files: { '/f': `${A} at /g` } }, { files: { '/f': `${A} at /h` } }, ['/f: leads to /h, not to /g any more']],
    [{ files: {} }, { files: { '/f': A } }, ['/f: it had no part in the plan']],
    [{ files: { '/f': A } }, { files: {} }, ['/f: it has no part any more']],
    [{ directories: { '/d': A } }, { directories: { '/d': B } }, ['/d: other names in the directory']],
    [{ directories: { '/d': A } }, { directories: { '/d': 'absent' } }, ['/d: the directory is gone']],
    [{ directories: { '/d': 'absent' } }, { directories: { '/d': A } }, ['/d: the directory is there now']],
    [{ directories: { '/d': 'unread' } }, { directories: { '/d': A } }, ['/d: the directory can be read now']],
    [{ units: { u: `loaded active, settings ${A}` } }, { units: { u: `loaded active, settings ${B}` } }, ['u: systemd has loaded other settings of it']],
    [{ units: { u: `loaded active, settings ${A}` } }, { units: { u: `loaded failed, settings ${A}` } }, ['u: loaded active, now loaded failed']],
    [{ versions: { kernel: '5' } }, { versions: { kernel: '6\u001b[31m' } }, ['kernel: 5, now 6[31m']],
    [words('k', '--v=2', '--a'), words('k', '--v=3', '--a'), ['k.service: command line ---v=2 +--v=3']],
    [words('k', '--v', '2'), words('k', '--v', '3'), ['k.service: command line ---v 2 +--v 3']],
    [words('k', '--a', '--b'), words('k', '--b', '--a'), ['k.service: the same words of the command line in another order']],
    [words('k', 'x', 'x'), words('k', 'x'), ['k.service: command line -x']],
  ])('%j, then %j', (then, now, lines) => {
    expect(differences({ ...NONE, ...then }, { ...NONE, ...now }, 'all')).toEqual(lines);
  });

  it('what only one of two looks saw is no difference where one was cut short', () => {
    expect(differences({ ...NONE, files: { '/f': A, '/g': A } }, { ...NONE, files: { '/g': B, '/h': B } }, 'common')).toEqual(['/g: other content (aaaaaaaaaaaa, now bbbbbbbbbbbb)']);
  });

  it.each([['--token', 'hunter2'], ['--token=hunter2']])('a secret of a command line is hidden where it is shown: %s', (...secret) => {
    const [line = ''] = differences({ ...NONE, ...words('k', ...secret) }, { ...NONE, ...words('k', ...secret.map((word) => word.replace('hunter2', 'hunter3'))) }, 'all');
    expect(line).toMatch(/command line -.*token.* \+.*token/);
    expect(line).not.toMatch(/hunter/);
  });
});
