/** What happens to each node of the storm, and when: drawn by seeded numbers. Data only, nothing is done here. */

export type Fault =
  | { readonly fault: 'none' }
  /** The link is lost, and is back later. */
  | { readonly fault: 'link'; readonly atMs: number; readonly backAfterMs: number }
  /** The link is lost until the guard on the node has done its work. */
  | { readonly fault: 'linkUntilGuard'; readonly atMs: number }
  | { readonly fault: 'power'; readonly atMs: number; readonly backAfterMs: number }
  | { readonly fault: 'frozenSshd'; readonly atMs: number; readonly backAfterMs: number }
  | { readonly fault: 'dyingKubelet'; readonly afterS: number }
  /** The kubelet does not get well, and there is no room to bring its file back. It lasts. */
  | { readonly fault: 'fullDisk' };

export interface Weather {
  readonly faults: ReadonlyMap<string, Fault>;
  /** When the controller, and then the first resume, is killed; each from its own first act. */
  readonly killsAtMs: readonly number[];
  readonly secondOperatorAtMs: number;
}

/** `random`: from 0 to 1. */
export function drawWeather(names: readonly string[], random: () => number): Weather {
  const between = (from: number, to: number): number => Math.round(from + random() * (to - from));
  const kinds: readonly (readonly [number, () => Fault])[] = [
    [4, () => ({ fault: 'link', atMs: between(0, 7_000), backAfterMs: between(1_000, 12_000) })],
    [3, () => ({ fault: 'linkUntilGuard', atMs: between(0, 7_000) })],
    [6, () => ({ fault: 'power', atMs: between(0, 9_000), backAfterMs: between(0, 6_000) })],
    [2, () => ({ fault: 'frozenSshd', atMs: between(0, 6_000), backAfterMs: between(3_000, 15_000) })],
    [2, () => ({ fault: 'dyingKubelet', afterS: between(0, 2) + 0.5 })],
    [1, () => ({ fault: 'fullDisk' })],
  ];
  const drawn = kinds.flatMap(([count, draw]) => Array.from({ length: count }, draw));
  const order = shuffled(names, random);
  const faults = new Map(order.map((name, index) => [name, drawn[index] ?? ({ fault: 'none' } as const)]));
  return { faults, killsAtMs: [between(2_500, 8_000), between(1_000, 6_000)], secondOperatorAtMs: between(500, 4_000) };
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items.map((item) => ({ item, at: random() })).sort((a, b) => a.at - b.at).map(({ item }) => item);
}
