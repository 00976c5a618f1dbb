/** The floors of the house (ARCHITECTURE.md): who may import what, how long a file may be, what the core may not touch. */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('..', import.meta.url).pathname;
const ANY_NODE = /^node:/;
/** Rooms that a room may import from, and the libraries that live in it. `node` means built-in modules. */
const ROOMS: Record<string, { rooms: string[]; libraries: (string | RegExp)[] }> = {
  core: { rooms: [], libraries: ['zod', 'diff', 'node:crypto', 'node:stream'] },
  systemd: { rooms: ['core'], libraries: [] },
  'ssh-config': { rooms: ['core'], libraries: ['node:crypto'] },
  kubelet: { rooms: ['core', 'systemd'], libraries: ['yaml', 'jsonc-parser'] },
  steps: { rooms: ['core', 'kubelet', 'systemd'], libraries: ['zod'] },
  probes: { rooms: ['core', 'kubelet', 'systemd'], libraries: ['zod'] },
  rollout: { rooms: ['core'], libraries: ['luxon'] },
  engine: { rooms: ['core', 'kubelet', 'systemd', 'rollout'], libraries: [] },
  commands: { rooms: ['core'], libraries: [ANY_NODE] },
  host: { rooms: ['core'], libraries: [ANY_NODE] },
  ssh: { rooms: ['core', 'ssh-config'], libraries: ['ssh2', ANY_NODE] },
  openssh: { rooms: ['core'], libraries: [ANY_NODE] },
  journals: { rooms: ['core'], libraries: [ANY_NODE] },
  sources: { rooms: ['core', 'kubelet', 'rollout'], libraries: ['yaml', 'zod', ANY_NODE] },
  reporters: { rooms: ['core'], libraries: ['listr2', ANY_NODE] },
  cli: { rooms: ['core', 'kubelet', 'systemd', 'steps', 'probes', 'rollout', 'engine', 'commands', 'host', 'ssh', 'openssh', 'journals', 'sources', 'reporters'], libraries: ['yargs', 'yargs/helpers', ANY_NODE] },
  '.': { rooms: ['core', 'cli'], libraries: [] },
};
const PURE = ['core', 'kubelet', 'systemd', 'ssh-config', 'rollout', 'steps', 'probes'];

interface Source { readonly file: string; readonly room: string; readonly text: string; readonly imports: readonly string[] }

const sources: Source[] = (readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }))
  .filter((name) => name.endsWith('.ts'))
  .map((name) => {
    const text = readFileSync(join(ROOT, 'src', name), 'utf8');
    const imports = [...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom '([^']+)'/gm), ...text.matchAll(/\bimport\('([^']+)'\)/g)].map((match) => match[1] ?? '');
    return { file: name, room: name.includes('/') ? (name.split('/')[0] ?? '') : '.', text, imports };
  });

function targetOf(source: Source, specifier: string): string {
  return relative(join(ROOT, 'src'), join(ROOT, 'src', dirname(source.file), specifier)).replace(/\.js$/, '.ts');
}

describe('the floors', () => {
  it('every source file stands in a room of the house', () => {
    expect(sources.length).toBeGreaterThan(60);
    for (const source of sources) expect(Object.keys(ROOMS), source.file).toContain(source.room);
  });
  it('a file imports only from its own room and the floors below', () => {
    for (const source of sources) {
      const { rooms, libraries } = ROOMS[source.room] ?? { rooms: [], libraries: [] };
      for (const specifier of source.imports) {
        if (specifier.startsWith('.')) {
          const target = targetOf(source, specifier).split('/')[0] ?? '';
          const room = targetOf(source, specifier).includes('/') ? target : '.';
          expect([source.room, ...rooms], `src/${source.file} imports ${specifier}: put what it needs into ${rooms.join(' or ') || 'its own room'}, or hand it in from cli/compose.ts`).toContain(room);
        } else {
          const home = libraries.some((library) => (library instanceof RegExp ? library.test(specifier) : library === specifier));
          expect(home, `src/${source.file} imports ${specifier}: a library lives in one room, behind a port`).toBe(true);
        }
      }
    }
  });
  it('no imports go in a circle', () => {
    const graph = new Map(sources.map((source) => [source.file, source.imports.filter((one) => one.startsWith('.')).map((one) => targetOf(source, one))]));
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) expect.fail(`circle: ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`);
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of graph.keys()) visit(file, []);
  });
  it('the pure rooms know no clock, no randomness, no process and no network', () => {
    for (const source of sources.filter((one) => PURE.includes(one.room))) {
      const code = source.text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/\/\/.*$/gm, '');
      expect(code.match(/\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bprocess\.(env|argv|exit|hrtime|stdout|stderr)\b|\bprocess\.cwd\(|\bsetTimeout\b|\bfetch\(/), `src/${source.file}`).toBeNull();
    }
  });
  it('only the command line ends the process or writes to the console', () => {
    for (const source of sources.filter((one) => !['cli', '.'].includes(one.room))) {
      expect(source.text.match(/\bprocess\.exit\b|\bconsole\.\w+\(/), `src/${source.file}`).toBeNull();
    }
  });
  it('no module keeps mutable state', () => {
    for (const source of sources) expect(source.text.match(/^(?:export )?(?:let|var) /m), `src/${source.file}`).toBeNull();
  });
  it('a file fits in a head: none over 300 lines, most under 100', () => {
    const lengths = sources.map((source) => ({ file: source.file, lines: source.text.split('\n').length }));
    for (const { file, lines } of lengths) expect(lines, `src/${file}: split it by what it knows`).toBeLessThanOrEqual(300);
    const short = lengths.filter(({ lines }) => lines <= 120).length;
    expect(short / lengths.length).toBeGreaterThan(0.5);
  });
  it('every file says what it is', () => {
    for (const source of sources) expect(source.text.replace(/^#!.*\n/, ''), `src/${source.file}`).toMatch(/^\/\*\*/);
  });
});
