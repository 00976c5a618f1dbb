/** Colour for people, or none: NO_COLOR, a dumb terminal and anything that is not a terminal get plain text. */
import { inspect } from 'node:util';

export type Paint = (style: 'red' | 'green' | 'yellow' | 'cyan' | 'bold' | 'dim', text: string) => string;

export function createPaint(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): Paint {
  const forced = env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0';
  const wanted = forced || (stream.isTTY === true && env['TERM'] !== 'dumb');
  const refused = env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '';
  return wanted && !refused ? colour : (_, text) => text;
}

/** By Node's own table; its styleText asks standard output, which may not be the stream at hand. */
function colour(style: Parameters<Paint>[0], text: string): string {
  const [on, off] = inspect.colors[style] ?? [0, 0];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}
