/** Where systemd would start a service. Reads only systemd's properties. */
import type { UnitAnswer } from '../core/query.js';

export function workingDirectory(answer: UnitAnswer): string {
  const directory = (answer.properties['WorkingDirectory'] ?? '').replace(/^[!-]+/, '');
  return directory.startsWith('/') ? directory : '/';
}
