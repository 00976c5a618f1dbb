/** A jump host as a person writes it: `[user@]host[:port]`, an IPv6 address in brackets before a port. Pure; looks nothing up. */

export interface Jump {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
}

export const JUMP_EXPECTED = 'a jump host such as bastion, ops@bastion.example.org:2222 or [fd00::1]:22';

/** A host or user that begins with `-` could be an option of a program. */
const HOST = /^[A-Za-z0-9_][A-Za-z0-9_.%-]*$/u;
const ADDRESS6 = /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9_.-]+)?$/u;
const USER = /^[^\s\p{C}:,@-][^\s\p{C}:,]*$/u;

/** Undefined for anything else. */
export function parseJump(text: string): Jump | undefined {
  const at = text.lastIndexOf('@');
  const user = at === -1 ? undefined : text.slice(0, at);
  if (user !== undefined && (!USER.test(user) || user.length > 256)) return undefined;
  const place = placeOf(text.slice(at + 1));
  return place === undefined ? undefined : { ...place, ...(user === undefined ? {} : { user }) };
}

function placeOf(text: string): Omit<Jump, 'user'> | undefined {
  if (ADDRESS6.test(text) && text.split(':').length > 2) return { host: text };
  const [, bracketed, plain, digits] = /^(?:\[([^[\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/u.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || host.length > 253 || !(HOST.test(host) || (bracketed !== undefined && ADDRESS6.test(host)))) return undefined;
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  return { host, ...(port === undefined ? {} : { port }) };
}

export function formatJump({ host, user, port }: Jump): string {
  const place = host.includes(':') ? `[${host}]` : host;
  return `${user === undefined ? '' : `${user}@`}${place}${port === undefined ? '' : `:${port}`}`;
}
