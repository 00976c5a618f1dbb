/** What every inventory source promises. A source's own test calls this with references that it made. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FleetmendError } from '../../src/core/failure.js';
import type { InventorySource } from '../../src/core/ports.js';

export interface InventorySourceTrial {
  readonly source: InventorySource;
  /** A reference with at least two hosts. */
  readonly good: string;
  /** References that must be refused, each with how many errors it has. */
  readonly bad: readonly { readonly reference: string; readonly errors: number }[];
  cleanUp(): Promise<void>;
}

export function describeInventorySource(name: string, prepare: () => Promise<InventorySourceTrial>): void {
  describe(`inventory source ${name}`, () => {
    let trial: InventorySourceTrial;
    beforeAll(async () => {
      trial = await prepare();
    });
    afterAll(() => trial.cleanUp());

    it('gives the same hosts in the same order each time', async () => {
      const hosts = await trial.source.load(trial.good);
      expect(hosts.length).toBeGreaterThan(1);
      expect(await trial.source.load(trial.good)).toEqual(hosts);
    });

    it('gives every host one name, one endpoint and a group', async () => {
      const hosts = await trial.source.load(trial.good);
      expect(new Set(hosts.map((host) => host.name.toLowerCase())).size).toBe(hosts.length);
      expect(new Set(hosts.map((host) => `${host.address.toLowerCase()} ${host.port}`)).size).toBe(hosts.length);
      expect(hosts.filter((host) => !host.labels['group'])).toEqual([]);
    });

    it('gives hosts that can be connected to as they are', async () => {
      for (const host of await trial.source.load(trial.good)) {
        expect(host.name).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/u);
        expect(host.address).toMatch(/^[A-Za-z0-9_:][^\s\p{Cc}]*$/u);
        const { user = 'me', port = 22, connectTimeoutMs = 1 } = host;
        expect(user).toMatch(/^[^\s\p{Cc}-][^\s\p{Cc}]*$/u);
        expect(Number.isInteger(port) && port >= 1 && port <= 65_535).toBe(true);
        expect(Number.isInteger(connectTimeoutMs) && connectTimeoutMs > 0).toBe(true);
        expect(host.identityFile ?? '/').toMatch(/^\//u);
      }
    });

    it('callers do not share what they may change', async () => {
      const first = await trial.source.load(trial.good);
      first.length = 0;
      expect((await trial.source.load(trial.good)).length).toBeGreaterThan(1);
    });

    it('refuses what is wrong as bad input that counts every error', async () => {
      expect(trial.bad.length).toBeGreaterThan(0);
      for (const { reference, errors } of trial.bad) {
        const thrown: unknown = await trial.source.load(reference).catch((reason: unknown) => reason);
        expect(thrown).toBeInstanceOf(FleetmendError);
        const { kind, summary, detail } = (thrown as FleetmendError).failure;
        expect(kind).toBe('badInput');
        expect(summary).toContain(reference);
        expect((detail ?? summary).split('\n')).toHaveLength(errors);
      }
    });
  });
}
