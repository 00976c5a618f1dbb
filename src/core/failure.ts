/**
 * What went wrong, as a value. The grammar of its text is design.md 8:
 * what happened; what was done about it; what to do next. Never recognised by its text: only by `kind`.
 */
export type FailureKind =
  // reaching the host: nothing was touched. `jumpHost`: a server on the way could not be reached, or was lost
  | 'dns' | 'refusedConnection' | 'connectTimeout' | 'lostBeforeHandshake' | 'handshakeTimeout' | 'noCommonAlgorithm'
  | 'hostKeyUnknown' | 'hostKeyChanged' | 'hostKeyRevoked' | 'authentication' | 'channelRefused'
  | 'noShell' | 'protocol' | 'jumpHost'
  // on a host that was reached
  | 'rootRefused'
  | 'connectionLost' | 'timeout' | 'denied' | 'notJudged' | 'missingTool' | 'drift' | 'unhealthy' | 'unsupported' | 'generated'
  | 'readOnly' | 'noSpace' | 'unknownSource' | 'latentCrash' | 'exit' | 'notProved' | 'locked' | 'guardFired' | 'hook'
  // of the controller
  | 'badInput' | 'interrupted' | 'journal' | 'fenced' | 'bug';

export interface Failure {
  readonly kind: FailureKind;
  /** One line: what happened. Already stripped of control codes when it quotes a node. */
  readonly summary: string;
  /** More lines for the curious: raw output, positions. */
  readonly detail?: string;
  /** What was done about it. */
  readonly done?: string;
  /** What the reader should do next. */
  readonly next?: string;
  /** What the texts call the host that they are about (`10.0.0.7:22`), so that hosts that failed alike can be told as one. */
  readonly target?: string;
}

/** Kinds that mean: no shell on the host was ever ours. */
export const UNREACHABLE_KINDS: readonly FailureKind[] = [
  'dns', 'refusedConnection', 'connectTimeout', 'lostBeforeHandshake', 'handshakeTimeout', 'noCommonAlgorithm',
  'hostKeyUnknown', 'hostKeyChanged', 'hostKeyRevoked', 'authentication', 'channelRefused', 'noShell', 'protocol', 'jumpHost',
];

/** The only class that is thrown on purpose. */
export class FleetmendError extends Error {
  override readonly name = 'FleetmendError';
  readonly failure: Failure;

  constructor(failure: Failure, options?: { cause?: unknown }) {
    super(failure.summary, options);
    this.failure = failure;
  }
}

/** What was thrown, with its `target` where its summary names that one. */
export function ofTarget(thrown: unknown, target: string): unknown {
  if (!(thrown instanceof FleetmendError)) return thrown;
  const { failure } = thrown;
  return failure.target !== undefined || !failure.summary.includes(target) ? thrown : new FleetmendError({ ...failure, target }, { cause: thrown });
}

/** Any thrown value as a Failure; what is not ours is a bug and says so. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof FleetmendError) return thrown.failure;
  if (thrown instanceof Error) {
    return { kind: 'bug', summary: `unexpected error: ${thrown.message}`, ...(thrown.stack ? { detail: thrown.stack } : {}) };
  }
  return { kind: 'bug', summary: `unexpected error: ${String(thrown)}` };
}

/** The one-line form: "summary; done; next". */
export function describeFailure(failure: Failure): string {
  return [failure.summary, failure.done, failure.next].filter((part) => part !== undefined && part !== '').join('; ');
}
