/** One fact of a host as one line for people. Pure; whatever came from a node or another machine is clean in it. */
import { cleanLine } from './clean-text.js';
import { forPeople } from './duration-text.js';
import type { Failure } from './failure.js';
import { describeFailure } from './failure.js';
import type { HostFact } from './journal.js';

/** `titleOf` turns a step's id into words; without it the id stands for itself. */
export function entryText(fact: HostFact, titleOf: (step: string) => string = (step) => step): string {
  return cleanLine(factText(fact, titleOf));
}

function factText(fact: HostFact, titleOf: (step: string) => string): string {
  switch (fact.type) {
    case 'planned':
      return fact.plan.refusal ? `refused: ${describeFailure(fact.plan.refusal)}` : 'planned';
    case 'began':
      return `began: ${titleOf(fact.step)}`;
    case 'done':
      return `done: ${titleOf(fact.step)}${withDetail(fact.detail)}`;
    case 'failed':
      return `failed${fact.effect === 'none' ? ', and changed nothing' : ''}: ${ofStep(titleOf(fact.step), fact.failure)}`;
    case 'undone':
      return `undone${fact.happened === 'already' ? ' already' : ''}: ${titleOf(fact.step)}`;
    case 'undoFailed':
      return `undo failed: ${ofStep(titleOf(fact.step), fact.failure)}`;
    case 'reactivated':
      return `activated again: ${titleOf(fact.step)}`;
    case 'reactivateFailed':
      return `activation failed: ${ofStep(titleOf(fact.step), fact.failure)}`;
    case 'proved':
      return fact.ok ? `proved: ${fact.detail}` : `not proved: ${describeFailure(fact.failure)}`;
    case 'otherLife':
      return `somebody else, or a boot, started ${fact.unit} since`;
    case 'armed':
      return `guard armed: the node restores itself in ${forPeople(fact.deadlineMs)} unless it hears that all is well`;
    case 'armFailed':
      return `guard not armed: ${describeFailure(fact.failure)}`;
    case 'guardFired':
      return `the guard has fired and ${fact.ok ? 'put the old state back' : 'could not put everything back'}${withDetail(fact.detail)}`;
    case 'disarmed':
      return 'guard disarmed';
    case 'disarmFailed':
      return `guard left armed: ${describeFailure(fact.failure)}`;
    case 'resumed':
      return `resumed by ${fact.by}`;
    case 'undoAsked':
      return `undo asked for by ${fact.by}${fact.foreign === 'save' ? '; what others changed since is saved and replaced' : ''}`;
    case 'doubted':
      return `in doubt: ${describeFailure(fact.failure)}`;
    case 'notWell':
      return `no longer well, so it is brought back: ${describeFailure(fact.failure)}`;
    case 'cleanAsked':
      return `removal of the saved copies asked for by ${fact.by}: no undo from here on`;
    case 'cleaned':
      return 'saved copies removed from the node';
    case 'finished':
      return `${fact.outcome}${reason(fact.failure)}`;
  }
}

/** Most failures name their step already. */
function ofStep(title: string, failure: Failure): string {
  return failure.summary.includes(title) ? describeFailure(failure) : `${title}: ${describeFailure(failure)}`;
}

function withDetail(detail: string | undefined): string {
  return detail === undefined || detail === '' ? '' : `: ${detail}`;
}

function reason(failure: Failure | undefined): string {
  return failure === undefined ? '' : `: ${describeFailure(failure)}`;
}
