/** The limits that hold an enemy, each by itself. Where a rule costs time by its nature, a test without it would not end. */
import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { boundFinding } from '../../src/core/bound-finding.js';
import { failureOf } from '../../src/core/failure.js';
import type { ReadSession } from '../../src/core/ports.js';
import type { Query, Questions } from '../../src/core/query.js';
import { answerQuestions, LOOK_LIMIT_MS, QUESTIONS_LIMIT, ROUND_TRIPS_LIMIT } from '../../src/engine/answer-questions.js';
import { createMarkerFinder } from '../../src/host/find-marker.js';
import { ANSWERS_LIMIT_BYTES, createReadSession } from '../../src/host/session.js';
import { createFrameParser, decodeAnswers, encodeFrame } from '../../src/host/wire.js';
import { joinFields } from '../../src/host/words.js';
import { GREETING_LIMIT_BYTES, IDLE_TALK_LIMIT_BYTES, KEY_EXCHANGE_LIMIT, LOGIN_LIMIT_BYTES, watchFlood } from '../../src/ssh/flood.js';

const NONCE = '0123456789abcdef0123456789abcdef';
const CAPABILITY = { ask: 'capability' } as const;

const single = (bytes: Uint8Array, take: (chunk: Uint8Array) => unknown): void => {
  for (let at = 0; at < bytes.length; at += 1) take(bytes.subarray(at, at + 1));
};

describe('single bytes cost no more than blocks', () => {
  it('a frame of megabytes whose digest does not come', () => {
    const parser = createFrameParser(NONCE);
    const frame = Buffer.from(encodeFrame(NONCE, 1, Buffer.alloc(4 * 1024 * 1024)));
    const digestAt = frame.lastIndexOf(' 1 ') + 3;
    expect(parser.push(frame.subarray(0, digestAt))).toEqual([]);
    single(Buffer.alloc(300_000, 'x'), (chunk) => parser.push(chunk));
    expect(parser.push(Buffer.concat([Buffer.from('\n'), frame.subarray(digestAt)]))).toHaveLength(1);
  });

  it('a whole frame', () => {
    const parser = createFrameParser(NONCE);
    const frames: unknown[] = [];
    single(encodeFrame(NONCE, 1, Buffer.alloc(300_000)), (chunk) => frames.push(...parser.push(chunk)));
    expect(frames).toHaveLength(1);
  });

  it('a login that prints up to its limit', () => {
    const finder = createMarkerFinder('marker\n', 256 * 1024);
    const said = new Set<unknown>();
    single(Buffer.alloc(256 * 1024 + 7, 'x'), (chunk) => said.add(finder.push(chunk)));
    expect([...said]).toEqual([undefined, 'tooMuch']);
    expect(finder.before()).toHaveLength(16 * 1024);
  });

  it('a marker is found however it is cut, and what stood before it is kept', () => {
    const bytes = Buffer.from('some text\nmarker\nrest');
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const finder = createMarkerFinder('marker\n', 100);
      const found = finder.push(bytes.subarray(0, cut)) ?? finder.push(bytes.subarray(cut));
      expect([String(found), String(finder.before())]).toEqual([cut >= 17 ? 'rest'.slice(0, cut - 17) : 'rest', 'some text\n']);
    }
  });
});

describe('what a server may send unasked', () => {
  function watched(loggedIn: boolean): { socket: EventEmitter; client: EventEmitter; handlers: Record<string, (...words: unknown[]) => void>; over: string[] } {
    const socket = new EventEmitter();
    const channel = { incoming: { window: 2 * 1024 * 1024 } };
    const handlers: Record<string, (...words: unknown[]) => void> = {
      CHANNEL_OPEN_CONFIRMATION: () => undefined, CHANNEL_EXTENDED_DATA: () => undefined,
      CHANNEL_DATA: (_protocol, _recipient, data) => { channel.incoming.window -= (data as Buffer).length; },
    };
    const client = Object.assign(new EventEmitter(), { _protocol: { _handlers: handlers, _remoteIdentRaw: loggedIn ? Buffer.from('SSH-2.0-x') : undefined }, _chanMgr: { get: () => channel } });
    const over: string[] = [];
    const watch = watchFlood({ socket } as never, client as never, (what) => over.push(what), () => 0);
    if (loggedIn) watch.loggedIn();
    return { socket, client, handlers, over };
  }
  const send = (socket: EventEmitter, bytes: number): void => {
    for (let left = bytes; left > 0; left -= 8192) socket.emit('data', Buffer.alloc(Math.min(left, 8192)));
  };

  it('a greeting has a limit', () => {
    const { socket, over } = watched(false);
    send(socket, GREETING_LIMIT_BYTES);
    expect(over).toEqual([]);
    send(socket, 16_384);
    expect(over).toEqual([`${GREETING_LIMIT_BYTES} bytes came before its identification`]);
  });

  it('handshake and login have a limit', () => {
    const { socket, client, over } = watched(false);
    (client as unknown as { _protocol: { _remoteIdentRaw: unknown } })._protocol._remoteIdentRaw = Buffer.from('SSH-2.0-x');
    send(socket, LOGIN_LIMIT_BYTES + 1);
    expect(over).toEqual([`${LOGIN_LIMIT_BYTES} bytes came before the login was done`]);
  });

  it('talk beside the output has a limit, output has none of this kind', () => {
    const { socket, handlers, over } = watched(true);
    for (let sent = 0; sent < 100; sent += 1) {
      send(socket, 40_000);
      handlers['CHANNEL_DATA']?.(undefined, 0, Buffer.alloc(20_000));
    }
    expect(over).toEqual([]);
    send(socket, IDLE_TALK_LIMIT_BYTES + 8192);
    expect(over).toEqual([`${IDLE_TALK_LIMIT_BYTES} bytes came that nobody had asked for`]);
  });

  it('key exchanges have a limit', () => {
    const { client, over } = watched(true);
    for (let done = 0; done < KEY_EXCHANGE_LIMIT; done += 1) client.emit('handshake', {});
    expect(over).toEqual([]);
    client.emit('handshake', {});
    expect(over).toEqual([`it exchanged keys ${KEY_EXCHANGE_LIMIT + 1} times`]);
  });

  it('the window of a channel is a limit', () => {
    const { handlers, over } = watched(true);
    for (let sent = 0; sent < 80; sent += 1) handlers['CHANNEL_DATA']?.(undefined, 0, Buffer.alloc(32_768));
    expect(over).toEqual(['it sends more than the window of the channel has room for']);
  });
});

describe('one look at a node has an end', () => {
  const clock = (stepMs: number) => {
    let nowMs = 0;
    return { now: () => new Date(0), monotonicMs: () => (nowMs += stepMs), sleep: () => Promise.resolve() };
  };
  const session: ReadSession = {
    hostKey: '', close: () => Promise.resolve(),
    ask: (queries) => Promise.resolve(queries.map(({ ask }) => ({ ok: false, ask, reason: 'failed', detail: '' }) as never)),
  };
  function* asksForEver(queries: readonly Query[]): Questions<never> {
    for (;;) yield queries;
  }
  const endOf = async (program: Questions<never>, stepMs: number): Promise<string> => answerQuestions(program, session, clock(stepMs)).then(() => 'done', (thrown: unknown) => failureOf(thrown).kind);

  it.each<[string, number, number, string]>([
    ['slow answers', 1, LOOK_LIMIT_MS / 10, 'timeout'],
    ['more and more round trips', 1, 0, 'protocol'],
    ['more and more questions', Math.ceil(QUESTIONS_LIMIT / ROUND_TRIPS_LIMIT) * 2, 0, 'protocol'],
  ])('%s', async (_name, questions, stepMs, kind) => {
    expect(await endOf(asksForEver(Array.from({ length: questions }, () => CAPABILITY)), stepMs)).toBe(kind);
  });

  it('all answers of a visit together have a limit', async () => {
    const stream = joinFields(NONCE, ['no failed', 'x'.repeat(11 * 1024 * 1024)]);
    const visit = { nonce: NONCE, hostKey: '', exchange: () => Promise.resolve(stream), close: () => Promise.resolve() };
    const reading = createReadSession(visit as never, 1000);
    for (let asked = 0; asked < Math.floor(ANSWERS_LIMIT_BYTES / stream.length); asked += 1) expect(await reading.ask([CAPABILITY])).toMatchObject([{ ok: false }]);
    await expect(reading.ask([CAPABILITY])).rejects.toMatchObject({ failure: { kind: 'protocol' } });
  });
});

describe('an answer is no larger than the node was asked to give', () => {
  const decode = (query: Query, ...fields: readonly string[]): string => {
    try {
      decodeAnswers(NONCE, [query], joinFields(NONCE, fields));
      return 'taken';
    } catch (thrown) {
      return failureOf(thrown).kind;
    }
  };
  const megabyte = 1024 * 1024;
  it.each<[string, Query, string[], string]>([
    ['a directory of 20 000', { ask: 'directory', path: '/d' }, ['ok', 'd-', 'f-x\0'.repeat(20_000), ''], 'taken'],
    ['a directory of more', { ask: 'directory', path: '/d' }, ['ok', 'd-', 'f-x\0'.repeat(20_001), ''], 'protocol'],
    ['10 000 processes', { ask: 'processes', exe: 'kubelet' }, ['ok', ' 7'.repeat(10_000), '0'], 'taken'],
    ['more processes', { ask: 'processes', exe: 'kubelet' }, ['ok', ' 7'.repeat(10_002), '0'], 'protocol'],
    ['a process that is no number', { ask: 'processes', exe: 'kubelet' }, ['ok', '7 x', '0'], 'protocol'],
    ['a file of a megabyte', { ask: 'file', path: '/f' }, ['ok', '+', `${megabyte} 81a4 0 0 1 1 1\n`, 'f\0', 'x'.repeat(megabyte)], 'taken'],
    ['a file of more', { ask: 'file', path: '/f' }, ['ok', '+', `${megabyte + 1} 81a4 0 0 1 1 1\n`, 'f\0', 'x'.repeat(megabyte + 1)], 'protocol'],
    ['a user that is no number', CAPABILITY, ['ok', 'root\nx\nx\n252\nx', ''], 'protocol'],
    ['a version of systemd that is no number', CAPABILITY, ['ok', '0\nx\nx\nNaN\nx', ''], 'protocol'],
  ])('%s', (_name, query, fields, expected) => {
    expect(decode(query, ...fields)).toBe(expected);
  });
});

it('a finding that quotes a large node is cut, and says so', () => {
  const long = 'x'.repeat(100_000);
  const bounded = boundFinding({
    verdict: 'fail', summary: long, expected: '4h0m0s', actual: long, readings: [{ name: 'literal', value: long, verdict: 'fail', source: long }],
    drift: Array.from({ length: 5_000 }, () => long.slice(0, 10)), notes: [long], latentCrash: long,
  });
  expect(JSON.stringify(bounded).length).toBeLessThan(40_000);
  expect([bounded.summary.endsWith('... (100000 characters)'), bounded.drift.at(-1)]).toEqual([true, '... and 4800 more']);
});
