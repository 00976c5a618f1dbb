/**
 * Which hosts prove a change first: so few that every distinct change and every value of some labels is among them.
 * Never looks at what a change or a label means.
 */

export interface CanaryHost {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Key of its distinct change. */
  readonly change: string;
}

/**
 * The greedy cover: again and again the first host that brings most that is new. Then more hosts from the front until there
 * are `atLeast`. The order of `hosts` is kept. One pass over the hosts for each number of new things: linear.
 */
export function chooseCanary<H extends CanaryHost>(hosts: readonly H[], by: readonly string[], atLeast: number): H[] {
  const features = hosts.map((host) => featuresOf(host, by));
  const covered = new Set<string>();
  const chosen = new Set<number>();
  // What a host brings only ever shrinks, so one that was passed over at a level never comes back to it.
  for (let level = by.length + 1; level >= 1; level--) {
    for (const [index, of] of features.entries()) {
      if (of.filter((feature) => !covered.has(feature)).length < level) continue;
      for (const feature of of) covered.add(feature);
      chosen.add(index);
    }
  }
  for (let index = 0; index < hosts.length && chosen.size < atLeast; index++) chosen.add(index);
  return hosts.filter((_, index) => chosen.has(index));
}

/** Hosts without a label have nothing to prove for it. */
function featuresOf(host: CanaryHost, by: readonly string[]): string[] {
  const values = by.flatMap((label) => {
    return Object.hasOwn(host.labels, label) ? [JSON.stringify([label, host.labels[label]])] : [];
  });
  return [JSON.stringify([host.change]), ...values];
}
