/** Absolute paths of a fake node, as text. Never looks whether anything is there. */
export const STATE_DIRECTORY = '/var/lib/fleetmend';

export function parentOf(path: string): string {
  const cut = path.lastIndexOf('/');
  return cut <= 0 ? '/' : path.slice(0, cut);
}

export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function joinPath(directory: string, name: string): string {
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}

export function isInside(path: string, under: string): boolean {
  return under === '/' || path === under || path.startsWith(`${under}/`);
}

export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
