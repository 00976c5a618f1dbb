/** What SECURITY.md says of the packages that fleetmend brings along is what package-lock.json says. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface Locked {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly resolved?: string;
  readonly version?: string;
}

const read = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
const lock = JSON.parse(read('package-lock.json')) as { readonly packages: Readonly<Record<string, Locked>> };
const manifest = JSON.parse(read('package.json')) as { readonly dependencies: Readonly<Record<string, string>>; readonly scripts: Readonly<Record<string, string>> };
const security = read('SECURITY.md');
const production = Object.entries(lock.packages).filter(([name, { dev }]) => name !== '' && dev !== true);
const nameOf = (path: string): string => path.replace(/^.*node_modules\//, '');

describe('the supply chain', () => {
  it('is as long as SECURITY.md says', () => {
    const optional = production.filter(([, one]) => one.optional === true);
    const direct = Object.keys(manifest.dependencies);
    expect(security).toContain(`${direct.length} packages are named in package.json, ${production.length} come with them in all, ${optional.length} of those optional`);
  });
  it('has install scripts only where SECURITY.md says that none has to run', () => {
    const scripts = production.filter(([, one]) => one.hasInstallScript === true).map(([name]) => nameOf(name)).sort();
    expect(scripts).toEqual(['cpu-features', 'ssh2']);
    for (const name of scripts) expect(security).toContain(`\`${name}\``);
    expect(Object.keys(manifest.scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name))).toEqual([]);
  });
  it('is pinned, and the lock file names no registry', () => {
    for (const [name, version] of Object.entries(manifest.dependencies)) expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
    expect(Object.values(lock.packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  });
  it('names every production dependency with its reason', () => {
    const house = read('ARCHITECTURE.md');
    for (const name of Object.keys(manifest.dependencies)) expect(house).toContain(`| ${name} |`);
  });
});
