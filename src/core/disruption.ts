/** What doing a plan interrupts, as a class and by name. Data and its words; look-at-disruption.ts finds it out. */
export type DisruptionClass = 'none' | 'reload' | 'restart' | 'restartOfMore';
export const DISRUPTION_CLASSES: readonly DisruptionClass[] = ['none', 'reload', 'restart', 'restartOfMore'];

export interface Disruption {
  readonly class: DisruptionClass;
  /** Restarted by the plan itself. */
  readonly units: readonly string[];
  /** Active units that systemd restarts along with them, or that could not be looked at. */
  readonly along: readonly string[];
}

/** For people: `restart of more than one unit: a.service; b.service, c.service go along`. */
export function describeDisruption({ class: kind, units, along }: Disruption): string {
  switch (kind) {
    case 'none':
      return 'none: no service is reloaded or restarted';
    case 'reload':
      return 'reload: systemd reads its unit files again, no service is interrupted';
    case 'restart':
      return `restart of ${units.join(', ')} alone`;
    case 'restartOfMore':
      return `restart of more than one unit: ${units.join(', ')}${along.length > 0 ? `; ${along.join(', ')} ${along.length === 1 ? 'goes' : 'go'} along` : ''}`;
  }
}
