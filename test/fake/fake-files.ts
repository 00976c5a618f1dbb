/**
 * An in-memory file system with the properties that the host protocol can see: kinds, modes, owners,
 * mtimes, inode numbers, hard links, symlinks, read-only mounts, immutable files and full disks.
 * Never checks permissions by user: who may do what is decided in fake-answers.ts and fake-effects.ts.
 */
import { baseOf, compareBytes, isInside, joinPath, parentOf } from './fake-paths.js';

export type FileErrorCode = 'ENOENT' | 'EEXIST' | 'ENOTDIR' | 'EISDIR' | 'EROFS' | 'EPERM' | 'ENOSPC' | 'EBUSY';

/** What a system call would have returned. */
export class FakeFileError extends Error {
  override readonly name = 'FakeFileError';
  constructor(
    readonly code: FileErrorCode,
    readonly path: string,
  ) {
    super(`${path}: ${code}`);
  }
}

export interface FakeInode {
  readonly inode: number;
  readonly kind: 'file' | 'directory' | 'link' | 'device';
  bytes: Uint8Array;
  /** Of a link, as written. */
  readonly target: string;
  mode: number;
  uid: number;
  gid: number;
  /** Seconds since the epoch. */
  modifiedAt: number;
  links: number;
  immutable: boolean;
}

/** A file as data. A bare string is a regular file, 0644, root. */
export type FileSeed =
  | string
  | { readonly content: string | Uint8Array; readonly mode?: number; readonly uid?: number; readonly gid?: number; readonly modifiedAt?: number; readonly immutable?: boolean }
  | { readonly link: string }
  | { readonly hardLink: string }
  | { readonly directory: true; readonly mode?: number };

const MAX_LINKS = 40;
const PLENTY = 10 * 1024 ** 3;

export class FakeFiles {
  private readonly entries = new Map<string, FakeInode>();
  private readonly readOnly = new Set<string>();
  private readonly mounts = new Set<string>();
  private readonly free = new Map<string, number>();
  private lastInode = 1000;

  /** `nowSeconds`: the node's clock, seconds since the epoch. */
  constructor(private readonly nowSeconds: () => number) {
    this.entries.set('/', this.makeInode('directory', { mode: 0o755 }));
    this.seed('/dev', { directory: true });
    this.entries.set('/dev/null', this.makeInode('device', { mode: 0o666 }));
  }

  /** Puts a file where it is wanted, with its parents, whatever is read-only or full. */
  seed(path: string, seed: FileSeed): void {
    this.makeParents(path);
    if (typeof seed === 'string') this.entries.set(path, this.makeInode('file', { bytes: Buffer.from(seed) }));
    else if ('link' in seed) this.entries.set(path, this.makeInode('link', { target: seed.link, mode: 0o777 }));
    else if ('directory' in seed) this.entries.set(path, this.makeInode('directory', { mode: seed.mode ?? 0o755 }));
    else if ('hardLink' in seed) {
      const inode = this.need(seed.hardLink);
      inode.links += 1;
      this.entries.set(path, inode);
    } else {
      const { content, ...rest } = seed;
      this.entries.set(path, this.makeInode('file', { ...rest, bytes: typeof content === 'string' ? Buffer.from(content) : content }));
    }
  }

  /** Writes inside this tree fail with EROFS. */
  mountReadOnly(under: string, readOnly = true): void {
    if (readOnly) this.readOnly.add(under);
    else this.readOnly.delete(under);
  }

  /** The path itself is a mount point (a bind-mounted file): it cannot be renamed over. */
  mountOver(path: string): void {
    this.mounts.add(path);
  }

  /** Free bytes of the file system that starts at `under`; `undefined` gives plenty again. */
  setFreeBytes(under: string, bytes: number | undefined): void {
    if (bytes === undefined) this.free.delete(under);
    else this.free.set(under, bytes);
  }

  freeBytes(path: string): number {
    const mount = this.mountOf(path);
    return mount === undefined ? PLENTY : (this.free.get(mount) ?? PLENTY);
  }

  isReadOnly(path: string): boolean {
    return [...this.readOnly].some((under) => isInside(path, under));
  }

  isMountPoint(path: string): boolean {
    return this.mounts.has(path);
  }

  /** Every symlink followed; `undefined` when something is missing on the way. */
  realPath(path: string): string | undefined {
    return this.resolve(path, MAX_LINKS);
  }

  /** Follows symlinks. */
  stat(path: string): FakeInode | undefined {
    const real = this.realPath(path);
    return real === undefined ? undefined : this.entries.get(real);
  }

  /** Does not follow the last component. */
  lstat(path: string): FakeInode | undefined {
    const real = this.realPath(parentOf(path));
    return real === undefined ? undefined : this.entries.get(joinPath(real, baseOf(path)));
  }

  /** The bytes of a regular file, symlinks followed; a device reads as empty. */
  read(path: string): Uint8Array | undefined {
    const inode = this.stat(path);
    return inode?.kind === 'file' || inode?.kind === 'device' ? inode.bytes : undefined;
  }

  /** Names in a directory, in byte order. */
  list(path: string): string[] {
    const real = this.realPath(path);
    if (real === undefined || this.entries.get(real)?.kind !== 'directory') return [];
    const prefix = real === '/' ? '/' : `${real}/`;
    return [...this.entries.keys()]
      .filter((entry) => entry !== '/' && entry.startsWith(prefix) && !entry.slice(prefix.length).includes('/'))
      .map((entry) => entry.slice(prefix.length))
      .sort(compareBytes);
  }

  /** Paths of everything, links not followed. */
  paths(): string[] {
    return [...this.entries.keys()].sort(compareBytes);
  }

  /** A new regular file; its parent must exist. */
  create(path: string, bytes: Uint8Array, seed: { mode: number; uid?: number; gid?: number }): void {
    const real = this.placeFor(path);
    if (this.entries.has(real)) throw new FakeFileError('EEXIST', path);
    this.take(real, bytes.length);
    this.entries.set(real, this.makeInode('file', { ...seed, bytes }));
    this.touchParent(real);
  }

  mkdir(path: string, mode: number): void {
    const real = this.placeFor(path);
    if (this.entries.has(real)) throw new FakeFileError('EEXIST', path);
    this.entries.set(real, this.makeInode('directory', { mode }));
    this.touchParent(real);
  }

  symlink(path: string, target: string): void {
    const real = this.placeFor(path);
    if (this.entries.has(real)) throw new FakeFileError('EEXIST', path);
    this.entries.set(real, this.makeInode('link', { target, mode: 0o777 }));
    this.touchParent(real);
  }

  /** As an editor that writes in place: same inode, new mtime. */
  overwrite(path: string, content: string | Uint8Array): void {
    const real = this.realPath(path);
    const inode = this.need(path);
    if (real === undefined || inode.kind !== 'file') throw new FakeFileError('EISDIR', path);
    this.mayChange(real, inode);
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    this.take(real, bytes.length - inode.bytes.length);
    inode.bytes = bytes;
    inode.modifiedAt = this.nowSeconds();
  }

  rename(from: string, to: string): void {
    const source = this.placeFor(from);
    const goal = this.placeFor(to);
    const inode = this.entries.get(source);
    if (inode === undefined) throw new FakeFileError('ENOENT', from);
    const old = this.entries.get(goal);
    if (old !== undefined) this.mayChange(goal, old);
    if (old?.kind === 'directory') throw new FakeFileError('EISDIR', to);
    if (this.mounts.has(goal)) throw new FakeFileError('EBUSY', to);
    this.entries.delete(source);
    if (old !== undefined) this.drop(goal, old);
    this.entries.set(goal, inode);
    this.touchParent(goal);
  }

  remove(path: string): void {
    const real = this.placeFor(path);
    const inode = this.entries.get(real);
    if (inode === undefined) throw new FakeFileError('ENOENT', path);
    if (inode.kind === 'directory' && this.list(real).length > 0) throw new FakeFileError('EISDIR', path);
    if (this.mounts.has(real)) throw new FakeFileError('EBUSY', path);
    this.mayChange(real, inode);
    this.entries.delete(real);
    this.drop(real, inode);
    this.touchParent(real);
  }

  private need(path: string): FakeInode {
    const inode = this.stat(path);
    if (inode === undefined) throw new FakeFileError('ENOENT', path);
    return inode;
  }

  /** Where a name would live: its directory resolved and writable. */
  private placeFor(path: string): string {
    const parent = this.realPath(parentOf(path));
    const inode = parent === undefined ? undefined : this.entries.get(parent);
    if (parent === undefined || inode === undefined) throw new FakeFileError('ENOENT', path);
    if (inode.kind !== 'directory') throw new FakeFileError('ENOTDIR', path);
    if (this.isReadOnly(parent)) throw new FakeFileError('EROFS', path);
    if (inode.immutable) throw new FakeFileError('EPERM', path);
    return joinPath(parent, baseOf(path));
  }

  private mayChange(real: string, inode: FakeInode): void {
    if (this.isReadOnly(real)) throw new FakeFileError('EROFS', real);
    if (inode.immutable) throw new FakeFileError('EPERM', real);
  }

  private take(real: string, bytes: number): void {
    const mount = this.mountOf(real);
    if (mount === undefined) return;
    const left = (this.free.get(mount) ?? 0) - bytes;
    if (left < 0 || (bytes >= 0 && this.free.get(mount) === 0)) throw new FakeFileError('ENOSPC', real);
    this.free.set(mount, left);
  }

  private drop(real: string, inode: FakeInode): void {
    inode.links -= 1;
    const mount = this.mountOf(real);
    if (inode.links === 0 && mount !== undefined) this.free.set(mount, (this.free.get(mount) ?? 0) + inode.bytes.length);
  }

  private mountOf(path: string): string | undefined {
    return [...this.free.keys()].filter((under) => isInside(path, under)).sort((a, b) => b.length - a.length)[0];
  }

  private touchParent(real: string): void {
    const parent = this.entries.get(parentOf(real));
    if (parent !== undefined) parent.modifiedAt = this.nowSeconds();
  }

  private makeParents(path: string): void {
    const parent = parentOf(path);
    if (parent === path || this.stat(parent) !== undefined) return;
    this.makeParents(parent);
    this.entries.set(parent, this.makeInode('directory', { mode: 0o755 }));
  }

  private makeInode(kind: FakeInode['kind'], parts: Partial<Omit<FakeInode, 'inode' | 'kind' | 'links'>>): FakeInode {
    this.lastInode += 1;
    return {
      bytes: new Uint8Array(), target: '', mode: 0o644, uid: 0, gid: 0, modifiedAt: this.nowSeconds(), immutable: false,
      ...parts, inode: this.lastInode, kind, links: 1,
    };
  }

  private resolve(path: string, linksLeft: number): string | undefined {
    let real = '/';
    // Until something else than names came, what was resolved is how the path begins.
    let isPlain = path.startsWith('/');
    for (let from = isPlain ? 1 : 0, to = 0; from < path.length; from = to + 1) {
      const slash = path.indexOf('/', from);
      to = slash < 0 ? path.length : slash;
      const part = path.slice(from, to);
      if (part === '' || part === '.' || part === '..') {
        isPlain = false;
        if (part === '..') real = parentOf(real);
        continue;
      }
      const next = isPlain ? path.slice(0, to) : joinPath(real, part);
      const inode = this.entries.get(next);
      if (inode === undefined) return undefined;
      if (inode.kind === 'link') {
        if (linksLeft === 0) return undefined;
        const target = inode.target.startsWith('/') ? inode.target : joinPath(real, inode.target);
        return this.resolve(target + path.slice(to), linksLeft - 1);
      }
      real = next;
    }
    return real;
  }
}
