/** What a node's refusal of an effect means to the run. Pure words: decides nothing. */
import type { EffectRefusal, EffectResult } from '../core/effect.js';
import type { Failure, FailureKind } from '../core/failure.js';

const KINDS: Readonly<Record<EffectRefusal, FailureKind>> = {
  drift: 'drift', readOnly: 'readOnly', immutable: 'readOnly', noSpace: 'noSpace', denied: 'denied', missingTool: 'missingTool',
  missingCopy: 'drift', timeout: 'timeout', exit: 'exit', locked: 'locked', notLocked: 'locked', superseded: 'fenced', guardFired: 'guardFired',
};

/** `what` names the act; the node's first line follows it, the rest is detail. */
export function failureFrom(what: string, result: Extract<EffectResult, { ok: false }>): Failure {
  const [first = '', ...rest] = result.detail.split('\n');
  return {
    kind: KINDS[result.reason],
    summary: `${what}: ${first === '' ? result.reason : first}`,
    ...(rest.length > 0 ? { detail: rest.join('\n') } : {}),
    ...(result.reason === 'superseded' ? { next: 'another process continues this run: leave it to it' } : {}),
    ...(result.reason === 'notLocked' ? { next: 'the lock of this node was broken or taken over; see `fleetmend show` of the run' } : {}),
  };
}
