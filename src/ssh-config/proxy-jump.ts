/** The hosts of ProxyJump: `[user@]host[:port]` or `ssh://[user@]host[:port]`, by commas, the nearest first. Pure. */

export interface JumpHost {
  readonly user?: string;
  /** A name of its own ssh_config, or an address. */
  readonly host: string;
  readonly port?: number;
}

/** Undefined when one of them cannot be read. No blanks between them: OpenSSH reads one word, and no further than a `#`. */
export function parseProxyJump(text: string): readonly JumpHost[] | 'none' | undefined {
  const list = text.split(/[ \t\r\n#]/, 1)[0] ?? '';
  if (list.toLowerCase() === 'none') return 'none';
  const hops = list.split(',').map((hop) => parseJumpHost(hop));
  return hops.every((hop) => hop !== undefined) ? hops : undefined;
}

function parseJumpHost(text: string): JumpHost | undefined {
  return text.startsWith('ssh://') ? parseUri(text.slice('ssh://'.length)) : parsePlain(text);
}

function parsePlain(text: string): JumpHost | undefined {
  const at = text.lastIndexOf('@');
  const user = at < 0 ? undefined : text.slice(0, at);
  if (user === '') return undefined;
  const address = splitPort(text.slice(at + 1));
  return address === undefined || address.rest !== undefined ? undefined : joined(user, address);
}

function parseUri(text: string): JumpHost | undefined {
  const at = text.indexOf('@');
  // Connection parameters behind a `;` are passed over, as OpenSSH does.
  const written = at < 0 ? undefined : text.slice(0, at).split(';', 1)[0];
  const user = written === undefined ? undefined : decodeUri(written);
  if (written !== undefined && (user === undefined || user === '')) return undefined;
  const address = splitPort(text.slice(at + 1));
  if (address === undefined || (address.rest ?? '') !== '' || !/^[a-z0-9](?:[a-z0-9_-]|\.(?!\.))*$/i.test(address.host)) return undefined;
  return joined(user, { ...address, host: address.host.replace(/\.$/, '') });
}

interface Address {
  readonly host: string;
  readonly port?: number;
  /** Behind a `/`. */
  readonly rest?: string;
}

function splitPort(text: string): Address | undefined {
  const match = /^(\[[^\]]*\]|[^:/[][^:/]*)(?::([^/]*))?(?:\/(.*))?$/s.exec(text);
  if (match === null) return undefined;
  const [, written = '', port, rest] = match;
  const host = written.startsWith('[') ? written.slice(1, -1) : written;
  const number = port === undefined || port === '' ? undefined : parsePort(port);
  if (host === '' || (port !== undefined && port !== '' && number === undefined)) return undefined;
  return { host, ...(number === undefined ? {} : { port: number }), ...(rest === undefined ? {} : { rest }) };
}

function joined(user: string | undefined, { host, port }: Address): JumpHost {
  return { ...(user === undefined ? {} : { user }), host, ...(port === undefined ? {} : { port }) };
}

/** 1 to 65535; `ssh` is the one service name that is known. */
export function parsePort(text: string): number | undefined {
  if (text === 'ssh') return 22;
  if (!/^[ \t\n\v\f\r]*\+?[0-9]+$/.test(text)) return undefined;
  const port = Number(text.trim());
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function decodeUri(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
