/**
 * Whose turn it is on a fake node. Visits are numbered by the start of their shells; of one run the latest that came
 * forward has the place. Kept in memory: a reboot ends every visit. Never decides who holds the lock.
 */
export interface Visits {
  last: number;
  /** By run: the latest visit that has claimed its place. */
  readonly claims: Map<string, number>;
}

export function createVisits(): Visits {
  return { last: 0, claims: new Map() };
}

export function nextVisit(visits: Visits): number {
  visits.last += 1;
  return visits.last;
}

export function isSuperseded(visits: Visits, run: string, visit: number): boolean {
  return (visits.claims.get(run) ?? 0) > visit;
}

/** False, and nothing is claimed, when a later visit has come forward before. */
export function claimPlace(visits: Visits, run: string, visit: number): boolean {
  if (isSuperseded(visits, run, visit)) return false;
  visits.claims.set(run, visit);
  return true;
}
