/**
 * What the log of an `ssh` at LogLevel DEBUG1 says of its connection: the one place that knows these lines (contract-tested
 * against the real program). They are lines of a program of this machine; yet a server can put whole lines of its own between
 * them (messages for debugging may contain newlines), so what is read here is never trusted further than the server itself:
 * a second, different host key makes the whole log void. Pure.
 */

/** How far it came, in the order of the protocol. */
export const STAGES = [
  'started', 'proxy', 'connecting', 'connected', 'greeted', 'negotiating', 'agreed', 'keyShown', 'keyTrusted', 'login', 'loggedIn', 'running',
] as const;
export type SshStage = (typeof STAGES)[number];

/** Facts that a stage alone does not tell. */
export type SshTrouble = 'dns' | 'refused' | 'hostKeyUnknown' | 'hostKeyChanged' | 'hostKeyRevoked' | 'loginRefused' | 'goodbye';

export interface LogFacts {
  readonly stage: SshStage;
  /** `SHA256:...`; different ones in the order shown, two at most. One is right. */
  readonly hostKeys: readonly string[];
  /** The command has ended, whatever its outputs do. */
  readonly commandEnded: boolean;
  /** The server sent a signal instead of an exit code; `ssh` does not tell which. */
  readonly killed: boolean;
  /** Said by `ssh` only when the session ended in good order. */
  readonly exitCode?: number;
  readonly trouble?: SshTrouble;
  /** Keys that were offered, as `ssh` names them; at most 20. */
  readonly offered: readonly string[];
  /** What `ssh` says without being asked for details: the last 12 lines. Not clean. */
  readonly words: readonly string[];
}

export const EMPTY_LOG: LogFacts = { stage: 'started', hostKeys: [], commandEnded: false, killed: false, offered: [], words: [] };

const STAGE_LINES: readonly (readonly [SshStage, RegExp])[] = [
  ['proxy', /^debug1: Executing proxy command: /],
  ['connecting', /^debug1: Connecting to /],
  ['connected', /^debug1: Connection established\.$/],
  ['greeted', /^debug1: Remote protocol version /],
  ['negotiating', /^debug1: SSH2_MSG_KEXINIT received$/],
  ['agreed', /^debug1: kex: client->server cipher: /],
  ['keyTrusted', /^debug1: SSH2_MSG_NEWKEYS received$/],
  ['login', /^debug1: SSH2_MSG_SERVICE_ACCEPT received$/],
  ['loggedIn', /^(?:Authenticated to |debug1: Authentication succeeded )/],
  ['running', /^debug1: Sending command: /],
];

const TROUBLE_LINES: readonly (readonly [SshTrouble, RegExp])[] = [
  ['dns', /^ssh: Could not resolve hostname /],
  // The words of strerror in the C locale: `ssh` sets no other one for messages.
  ['refused', /^debug1: connect to address .* port \d+: Connection refused$/],
  ['hostKeyUnknown', /^No \S+ host key is known for .* and you have requested strict checking\.$/],
  ['hostKeyChanged', /WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!/],
  ['hostKeyRevoked', /WARNING: REVOKED HOST KEY DETECTED!/],
  ['loginRefused', /^debug1: No more authentication methods to try\.$/],
  // Without details, as the `ssh` of a jump host says it.
  ['loginRefused', /^\S+@\S+: Permission denied \([\w,@.-]*\)\.$/],
  ['loginRefused', /^Received disconnect from .* port \d+:2: Too many authentication failures$/],
  ['goodbye', /^Received disconnect from /],
];

const HOST_KEY = /^debug1: Server host (?:key|certificate): \S+ (SHA256:[A-Za-z0-9+/]{43})(?:,|$)/;
const OFFERED = /^debug1: Offering public key: (.*)$/;
const EXIT_STATUS = /^debug1: Exit status (\d{1,3})$/;
const COMMAND_ENDED = /^debug1: client_input_channel_req: channel \d+ rtype (exit-status|exit-signal) /;
const WORDS_KEPT = 12;
const OFFERED_KEPT = 20;
/** A host key or a login that was refused says more than what follows from it. */
const LASTING: readonly (SshTrouble | undefined)[] = ['hostKeyUnknown', 'hostKeyChanged', 'hostKeyRevoked', 'loginRefused'];

/** `line` without its end. */
export function readLogLine(before: LogFacts, line: string): LogFacts {
  const facts = { ...before, ...stageAfter(before, line), ...troubleAfter(before, line) };
  const key = HOST_KEY.exec(line)?.[1];
  if (key !== undefined) {
    const hostKeys = before.hostKeys.includes(key) ? before.hostKeys : [...before.hostKeys, key].slice(0, 2);
    return { ...facts, hostKeys, stage: further(facts.stage, 'keyShown') };
  }
  const offered = OFFERED.exec(line)?.[1];
  if (offered !== undefined) return { ...facts, offered: [...before.offered, offered].slice(0, OFFERED_KEPT) };
  const status = EXIT_STATUS.exec(line)?.[1];
  if (status !== undefined) return { ...facts, exitCode: Number(status) };
  const ended = COMMAND_ENDED.exec(line)?.[1];
  if (ended !== undefined) return { ...facts, commandEnded: true, killed: ended === 'exit-signal' };
  if (line.trim() === '' || /^debug\d: |^@+$/.test(line)) return facts;
  return { ...facts, words: [...before.words, line].slice(-WORDS_KEPT) };
}

export function hasReached(facts: LogFacts, stage: SshStage): boolean {
  return STAGES.indexOf(facts.stage) >= STAGES.indexOf(stage);
}

function stageAfter({ stage }: LogFacts, line: string): { readonly stage: SshStage } {
  const next = STAGE_LINES.find(([, pattern]) => pattern.test(line))?.[0];
  return { stage: next === undefined ? stage : further(stage, next) };
}

function further(one: SshStage, other: SshStage): SshStage {
  return STAGES.indexOf(one) >= STAGES.indexOf(other) ? one : other;
}

function troubleAfter({ trouble }: LogFacts, line: string): { readonly trouble?: SshTrouble } {
  const next = TROUBLE_LINES.find(([, pattern]) => pattern.test(line))?.[0];
  return next === undefined || LASTING.includes(trouble) ? {} : { trouble: next };
}
