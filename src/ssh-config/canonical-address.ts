/** Addresses as OpenSSH writes them before it looks for their keys: 127.1 is 127.0.0.1, ::0001 is ::1. Never looks up a name. Pure. */

/**
 * Undefined: it is a name. Upper case alone, an address with a zone (fe80::1%eth0), and one that is not of the wanted family
 * stay as they are.
 */
export function canonicalAddress(text: string, family: 'any' | 4 | 6 = 'any'): string | undefined {
  if (family === (text.includes(':') ? 4 : 6)) return /^[0-9.]+$|:/.test(text) ? text : undefined;
  if (text.includes(':')) {
    const address = canonicalV6(text);
    return address === undefined || address === text.toLowerCase() ? text : address;
  }
  if (!/^(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)){0,3}$/i.test(text)) return /^[0-9.]+$/.test(text) ? text : undefined;
  return parseHost(text) ?? text;
}

function canonicalV6(text: string): string | undefined {
  const address = parseHost(`[${text}]`)?.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address ?? '');
  if (mapped === null) return address;
  const [high = 0, low = 0] = mapped.slice(1).map((part) => Number.parseInt(part, 16));
  return `::ffff:${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

function parseHost(host: string): string | undefined {
  const url = `ssh://${host}/`.replace('ssh:', 'http:');
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}
