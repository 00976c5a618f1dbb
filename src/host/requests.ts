/**
 * Request lines of the host protocol, both directions (the fake node decodes them). Pure.
 *
 *   fm NONCE SEQ op arg... -- op arg... NONCE
 *
 * The node compares the first and the last word, so that a line cut anywhere never runs.
 * Neighbouring `file` questions share one operation: `file +/a +/b`.
 */
import type { Effect } from '../core/effect.js';
import type { Query } from '../core/query.js';
import { effectOf, operationOfEffect } from './effect-words.js';
import { decodeWord, encodeOperation, type Operation } from './words.js';

export interface PerformBody {
  readonly kind: 'perform';
  readonly effect: Effect;
  /** With `arm`: the shell text that lies on the node and does the order. */
  readonly program?: string;
}

export interface Request {
  readonly nonce: string;
  readonly seq: number;
  readonly body: { readonly kind: 'ask'; readonly queries: readonly Query[] } | PerformBody;
}

export function encodeRequest(request: Request): string {
  const operations = request.body.kind === 'ask' ? operationsOfQueries(request.body.queries) : [operationOfEffect(request.body.effect, request.body.program)];
  const text = operations.map(encodeOperation).join(' -- ');
  return `fm ${request.nonce} ${request.seq} ${text} ${request.nonce}\n`;
}

function operationsOfQueries(queries: readonly Query[]): Operation[] {
  const operations: Operation[] = [];
  for (const query of queries) {
    const last = operations.at(-1);
    if (query.ask === 'file' && last?.[0] === 'file') operations[operations.length - 1] = [...last, query.path];
    else operations.push(operationOfQuery(query));
  }
  return operations;
}

function operationOfQuery(query: Query): Operation {
  switch (query.ask) {
    case 'capability':
      return ['capability'];
    case 'unit':
    case 'status':
      return [query.ask, query.unit];
    case 'process':
      return ['process', String(query.pid)];
    case 'processes':
    case 'version':
      return [query.ask, query.exe];
    case 'file':
    case 'directory':
    case 'writable':
      return [query.ask, query.path];
    case 'http':
      return ['http', query.url, String(query.timeoutMs)];
    case 'lock':
      return ['lockState'];
    case 'guard':
      return ['guardState', query.run];
  }
}

/** For a node's side. `undefined`: not a whole request of this visit, so nothing may be done. A `restore` comes back without content. */
export function decodeRequest(line: string, nonce: string): Request | undefined {
  const words = line.trimEnd().split(' ');
  if (words.length < 5 || words[0] !== 'fm' || words[1] !== nonce || words.at(-1) !== nonce) return undefined;
  const operations = splitOperations(words.slice(3, -1));
  const seq = Number(words[2]);
  const body = operations.length === 1 && operations[0] ? effectOf(operations[0]) : undefined;
  if (body) return { nonce, seq, body: { kind: 'perform', ...body } };
  const queries = operations.flatMap(queriesOf);
  return { nonce, seq, body: { kind: 'ask', queries } };
}

function splitOperations(words: readonly string[]): string[][] {
  const operations: string[][] = [[]];
  for (const word of words) {
    if (word === '--') operations.push([]);
    else operations.at(-1)?.push(decodeWord(word) ?? word);
  }
  return operations;
}

function queriesOf([name, ...args]: readonly string[]): Query[] {
  const first = args[0] ?? '';
  switch (name) {
    case 'capability':
      return [{ ask: 'capability' }];
    case 'unit':
    case 'status':
      return [{ ask: name, unit: first }];
    case 'process':
      return [{ ask: 'process', pid: Number(first) }];
    case 'processes':
    case 'version':
      return [{ ask: name, exe: first }];
    case 'file':
      return args.map((path) => ({ ask: 'file', path }));
    case 'directory':
    case 'writable':
      return [{ ask: name, path: first }];
    case 'http':
      return [{ ask: 'http', url: first, timeoutMs: Number(args[1]) }];
    case 'lockState':
      return [{ ask: 'lock' }];
    case 'guardState':
      return [{ ask: 'guard', run: first }];
    default:
      return [];
  }
}
