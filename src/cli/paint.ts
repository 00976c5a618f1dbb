/** Colour for people, or none: NO_COLOR, a dumb terminal and anything that is not a terminal get plain text. */
import { styleText } from 'node:util';

export type Paint = (style: 'red' | 'green' | 'yellow' | 'cyan' | 'bold' | 'dim', text: string) => string;

export function createPaint(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): Paint {
  const forced = env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0';
  const wanted = forced || (stream.isTTY === true && env['TERM'] !== 'dumb');
  const refused = env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '';
  return wanted && !refused ? (style, text) => styleText(style, text) : (_, text) => text;
}
