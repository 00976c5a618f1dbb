/** Paths on the node, as text: never the controller's own path rules, never a look at a disk. */

/** Against the working directory; `.` and `..` are left to the node's kernel, a trailing slash stays (kubelet.md 2.2). */
export function resolveFrom(cwd: string, path: string): string {
  if (path.startsWith('/')) return path;
  return `${cwd.replace(/\/+$/, '')}/${path.replace(/^(?:\.\/+)+/, '')}`;
}

export function joinPath(directory: string, relative: string): string {
  return `${directory.replace(/\/+$/, '')}/${relative}`;
}

export function parentPath(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Go's order of names in a directory walk: byte by byte, one name at a time, so `a/x` comes before `a.conf`. */
export function compareWalk(a: string, b: string): number {
  const [left, right] = [a.split('/'), b.split('/')];
  for (const [index, name] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    const order = compareBytes(name, other);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
