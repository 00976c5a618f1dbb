/** What a node sends: frames, answers, results, a server's first bytes; and lines of our own files that something damaged. */
import { FleetmendError } from '../../src/core/failure.js';
import { cleanText } from '../../src/core/clean-text.js';
import type { Query } from '../../src/core/query.js';
import { decodeAnswers, decodeResult, encodeAnswers } from '../../src/host/answers.js';
import { createFrameParser, encodeFrame } from '../../src/host/frame.js';
import { joinFields } from '../../src/host/words.js';
import { answerText, noteText, parseAnswer, parseNote } from '../../src/journals/control-files.js';
import { lineOf, parseLine } from '../../src/journals/journal-line.js';
import { readServerOpening } from '../../src/ssh/server-offer.js';
import type { Target } from './explore.js';

const NONCE = 'a'.repeat(32);

/** `refused` when `work` throws what the caller of that code expects; anything else is a crash. */
export function judge(work: () => unknown, isExpected: (failure: FleetmendError) => boolean): 'accepted' | 'refused' {
  try {
    work();
    return 'accepted';
  } catch (thrown) {
    if (thrown instanceof FleetmendError && isExpected(thrown)) return 'refused';
    throw thrown;
  }
}

const isProtocol = ({ failure }: FleetmendError): boolean => failure.kind === 'protocol';

/** The frames of a stream, or that it was refused: then the frames before the lie count for nothing either. */
function framesOf(bytes: Buffer, pieceBytes: number): string {
  const parser = createFrameParser(NONCE);
  const frames: string[] = [];
  try {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      for (const { seq, stream } of parser.push(bytes.subarray(at, at + pieceBytes))) frames.push(`${seq} ${Buffer.from(stream).toString('base64')}`);
    }
  } catch (thrown) {
    if (!(thrown instanceof FleetmendError) || !isProtocol(thrown)) throw thrown;
    return 'refused';
  }
  return frames.join('\n');
}

const frames: Target = {
  name: 'frames',
  sources: ['/src/host/frame.ts'],
  seeds: [encodeFrame(NONCE, 1, Buffer.from('hello')), Buffer.concat([Buffer.from('motd\n'), encodeFrame(NONCE, 1, Buffer.alloc(100)), Buffer.from('noise'), encodeFrame(NONCE, 2, Buffer.from([0, 1, 2]))])].map((one) => Buffer.from(one)),
  dictionary: [`fm-begin-${NONCE} `, `\nfm-end-${NONCE} 1 `, ' 1 ', ' 2 ', '16777217', '999999999', '  -\n', 'fm-begin-'],
  tryInput(input) {
    const whole = framesOf(input, Math.max(1, input.length));
    for (const pieceBytes of [1, 7]) if (framesOf(input, pieceBytes) !== whole) throw new Error(`other frames in pieces of ${pieceBytes} bytes`);
    return whole === '' || whole === 'refused' ? 'refused' : 'accepted';
  },
};

const QUERIES: readonly Query[] = [
  { ask: 'unit', unit: 'kubelet.service' }, { ask: 'process', pid: 7 }, { ask: 'file', path: '/etc/a' }, { ask: 'file', path: '/etc/b' },
  { ask: 'directory', path: '/etc/d' }, { ask: 'writable', path: '/etc/a' }, { ask: 'http', url: 'http://127.0.0.1:10248/healthz', timeoutMs: 1000 },
  { ask: 'lock' }, { ask: 'guard', run: '20260101T000000-abcdef' }, { ask: 'capability' }, { ask: 'status', unit: 'kubelet.service' },
  { ask: 'processes', exe: 'kubelet' }, { ask: 'version', exe: '/usr/bin/kubelet' },
];

/** Of each question an answer that says nothing, then its fields as a node would write them. */
const answerSeeds = (): Buffer[] => {
  const refused = QUERIES.filter(({ ask }) => ask !== 'file').map((query) => encodeAnswers(NONCE, [query], [{ ok: false, ask: query.ask, reason: 'denied', detail: 'no' } as never]));
  const written = [
    ['ok', '--', ''], ['ok', '+-', '4 81a4 0 0 1 5 1700000000.000000000\n', 'f\0', 'text'], ['ok', 'd-', 'f-a.conf\0l--b\0', ''], ['ok', 'yes 1 4096', ''],
    ['ok', 'free'], ['ok', 'none'], ['ok', '200', 'ok'], ['ok', 'Id=kubelet.service\nLoadState=loaded\nActiveState=active\nMainPID=7\n', ''],
  ].map((fields) => joinFields(NONCE, fields));
  return [...refused, ...written].map((one) => Buffer.from(one));
};

const answers: Target = {
  name: 'answers',
  sources: ['/src/host/'],
  seeds: answerSeeds(),
  dictionary: [`:${NONCE}:\n`, 'ok', 'no denied', 'no tooLarge', '--', '+', 'f\0', 'S\0', 'd-', 'yes ', 'Id=', 'MainPID=', 'armed', 'fired', '../../etc/passwd\0', '__proto__\0'],
  tryInput(input) {
    let good = false;
    for (const query of QUERIES) {
      const batch = query.ask === 'file' ? QUERIES.filter(({ ask }) => ask === 'file') : [query];
      good = judge(() => decodeAnswers(NONCE, batch, input), isProtocol) === 'accepted' || good;
    }
    return judge(() => decodeResult(NONCE, input), isProtocol) === 'accepted' || good ? 'accepted' : 'refused';
  },
};

const openings: Target = {
  name: "a server's first bytes",
  sources: ['/src/ssh/server-offer.ts'],
  seeds: ['SSH-2.0-OpenSSH_9.2\r\n', 'hello\nSSH-2.0-x\n\0\0\0\u000c\u000a\u0014', Buffer.concat([Buffer.from('SSH-2.0-x\n'), Buffer.from([0, 0, 0, 60, 4, 20, ...Buffer.alloc(16), ...Array.from({ length: 10 }, () => [0, 0, 0, 0]).flat(), 0, 0, 0, 0, 0])])],
  dictionary: ['SSH-2.0-', '\nSSH-', '\0\0\0\u0010', '\u0014', 'curve25519-sha256,', '\u00ff\u00ff\u00ff\u00ff'],
  tryInput(input) {
    const { greeting, offer } = readServerOpening(input);
    if (greeting.length > 1000) throw new Error('the greeting is not bounded');
    return offer === undefined ? 'refused' : 'accepted';
  },
};

const journalLines: Target = {
  name: 'lines of a journal',
  sources: ['/src/journals/'],
  seeds: ['', '\0\0\0', '{"v":2,', lineOf({ run: '20260101T000000-abcdef', host: '*', seq: 1, at: '2026-01-01T00:00:00.000Z', type: 'hooksBegan', onHost: 'n1' }, '0123456789abcdef')],
  dictionary: ['{"v":1,"writer":"', '","sha256":"', '","bytes":"', '","entry":', '"type":"ended"', '}'],
  tryInput: (input) => (parseLine(input).kind === 'entry' ? 'accepted' : 'refused'),
};

/** What must never reach a terminal: C0 but newline and tab, DEL, C1, bidirectional marks, halves of characters. */
const HARMFUL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

const cleaning: Target = {
  name: 'text for people',
  sources: ['/src/core/clean-text.ts'],
  seeds: ['plain', '\u001b[2J\u001b]0;title\u0007', '\u202egnp.exe', '\u009b31m', 'a\r\nb', '👩‍🚀'],
  dictionary: ['\u001b[', '\u009b', '\u202e', '\u2066', '\u0007', '\r', '\u007f', '\ud800'],
  tryInput(input) {
    const clean = cleanText(input.toString(input.length % 2 === 0 ? 'utf8' : 'latin1'));
    if (HARMFUL.test(clean)) throw new Error(`a control code is left: ${JSON.stringify(clean)}`);
    return 'accepted';
  },
};

const control: Target = {
  name: 'requests of other terminals',
  sources: ['/src/journals/control-files.ts'],
  seeds: [noteText({ from: { by: 'a@b', pid: 7, hostname: 'b', since: '2026-01-01T00:00:00.000Z', startTicks: '1', bootId: 'x', pidSpace: 'y' }, act: { do: 'pause' } }), answerText({ accepted: true, text: 'yes' }), '[]', 'null'],
  dictionary: ['"act":', '"from":', '"do":', '"pause"', '"within"', '"count":', '"scope":', '1e9'],
  tryInput(input) {
    const text = input.toString('utf8');
    const note = parseNote(text);
    return typeof note === 'string' && parseAnswer(text) === undefined ? 'refused' : 'accepted';
  },
};

export const nodeTargets: readonly Target[] = [frames, answers, openings, journalLines, cleaning, control];
