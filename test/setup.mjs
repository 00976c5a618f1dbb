/**
 * What a fresh clone needs before anything else runs: a Node new enough, the dependencies, dist.
 * Plain Node, nothing imported from the dependencies. Says nothing when all of it is there already.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NEEDED = [20, 19];

/** Throws an Error whose message is meant for people. */
export function setUp() {
  checkNode();
  installDependencies();
  buildDist();
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return;
  stop(`fleetmend needs Node ${NEEDED.join('.')} or newer; this is ${process.versions.node} (${process.execPath})`);
}

/** npm writes node_modules/.package-lock.json at the end of an install: it is the time stamp of a complete one. */
function installDependencies() {
  const installed = join(ROOT, 'node_modules/.package-lock.json');
  if (existsSync(installed) && modified(installed) >= modified(join(ROOT, 'package-lock.json'))) return;
  // npm would empty the folder that the link leads to, which is somebody else's.
  if (lstatSync(join(ROOT, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) stop('node_modules is a link, and what it leads to is not up to date: run npm ci there');
  perform('installing the dependencies', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
}

function buildDist() {
  const built = join(ROOT, 'dist/main.js');
  const sources = [join(ROOT, 'package.json'), join(ROOT, 'tsconfig.json'), join(ROOT, 'test/tsconfig.build.json'), ...filesBelow(join(ROOT, 'src'))];
  if (existsSync(built) && sources.every((file) => modified(file) <= modified(built))) return;
  perform('building dist', process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'test/tsconfig.build.json']);
}

function filesBelow(directory) {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true });
  return names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

function modified(file) {
  return existsSync(file) ? statSync(file).mtimeMs : Infinity;
}

function perform(what, command, args) {
  console.error(`${what} ...`);
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (status !== 0) stop(`${what} failed: ${command} ${args.join(' ')}\n${error?.message ?? ''}${stdout}${stderr}`);
}

function stop(text) {
  throw new Error(text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    setUp();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
