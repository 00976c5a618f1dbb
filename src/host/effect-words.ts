/**
 * Effects as operations of a request line, both directions. Pure. The order of a guard is data too: one
 * operation a line, encoded as in a request, so that the node does it with the functions of a visit.
 */
import type { Activation, Edit, Effect, GuardOrder, Restore, Way } from '../core/effect.js';
import { decodeWord, encodeOperation, type Operation } from './words.js';

/** `program`: the shell text of the guard, which goes to the node with `arm`. */
export function operationOfEffect(effect: Effect, program = ''): Operation {
  switch (effect.do) {
    case 'lock': {
      const { run, who, session, staleAfterMs } = effect.holder;
      return ['lock', run, who, session, String(staleAfterMs)];
    }
    case 'unlock':
    case 'disarm':
    case 'clean':
      return [effect.do, effect.run];
    case 'breakLock':
      return ['breakLock', effect.session];
    case 'arm': {
      const { run, order } = effect;
      const unit = order.activations.find((one) => one.do === 'restart')?.unit ?? '';
      return ['arm', run, String(order.afterMs), order.invocationId ?? '', unit, orderText(run, order), program];
    }
    case 'edit':
      return ['edit', effect.run, effect.way, ...wordsOfEdit(effect.edit), ...(effect.edit.do === 'write' ? [effect.edit.content] : [])];
    case 'restore':
      return ['restore', effect.run, effect.foreign, ...wordsOfEdit(effect.edit), ...effect.earlier];
    case 'daemonReload':
      return ['daemonReload', String(effect.timeoutMs), effect.run, effect.way];
    case 'restart':
    case 'resetFailed':
      return [effect.do, String(effect.timeoutMs), effect.unit, effect.run, effect.way];
  }
}

function wordsOfEdit(edit: Edit): [string, string, string, string] {
  return [edit.do, edit.path, edit.before, edit.do === 'remove' ? 'absent' : edit.after];
}

function orderText(run: string, order: GuardOrder): string {
  const effects: Effect[] = [
    ...order.restores.map((restore): Effect => ({ ...restore, do: 'restore', run, foreign: 'refuse' })),
    ...order.activations.map((activation): Effect => ({ ...activation, run, way: 'back' })),
  ];
  return effects.map((effect) => `${encodeOperation(operationOfEffect(effect))}\n`).join('');
}

/** For a node's side. `undefined`: no effect. A `restore`, in an order too, comes back without content. */
export function effectOf([name, ...args]: readonly string[]): { effect: Effect; program?: string } | undefined {
  const [first = '', second = '', third = '', fourth = '', fifth = '', sixth = ''] = args;
  switch (name) {
    case 'lock':
      return { effect: { do: 'lock', holder: { run: first, who: second, session: third, staleAfterMs: Number(fourth) } } };
    case 'unlock':
    case 'disarm':
    case 'clean':
      return { effect: { do: name, run: first } };
    case 'breakLock':
      return { effect: { do: 'breakLock', session: first } };
    case 'arm':
      return { effect: { do: 'arm', run: first, order: orderOf(Number(second), third, fifth) }, ...(sixth === '' ? {} : { program: sixth }) };
    case 'edit':
      return { effect: { do: 'edit', run: first, way: second === 'guarded' ? 'guarded' : 'unguarded', edit: editOf(args.slice(2)) } };
    case 'restore':
      return { effect: { do: 'restore', run: first, foreign: second === 'save' ? 'save' : 'refuse', ...restoreOf(args.slice(2)) } };
    case 'daemonReload':
      return { effect: { do: 'daemonReload', timeoutMs: Number(first), run: second, way: wayOf(third) } };
    case 'restart':
      return { effect: { do: 'restart', timeoutMs: Number(first), unit: second, run: third, way: wayOf(fourth) } };
    case 'resetFailed':
      return { effect: { do: 'resetFailed', timeoutMs: Number(first), unit: second, run: third, way: 'back' } };
    default:
      return undefined;
  }
}

function editOf([kind = '', path = '', before = '', after = '', content = '']: readonly string[]): Edit {
  return kind === 'remove' ? { do: 'remove', path, before } : { do: 'write', path, before, after, content };
}

function restoreOf([kind = '', path = '', before = '', after = '', ...earlier]: readonly string[]): Restore {
  return { edit: editOf([kind, path, before, after]), earlier };
}

function wayOf(word: string): Way {
  return word === 'guarded' || word === 'unguarded' ? word : 'back';
}

function orderOf(afterMs: number, invocationId: string, text: string): GuardOrder {
  const effects = text.split('\n').filter((line) => line !== '').flatMap((line): Effect[] => {
    const found = effectOf(line.split(' ').map((word) => decodeWord(word) ?? word));
    return found ? [found.effect] : [];
  });
  return {
    afterMs,
    restores: effects.flatMap((effect) => (effect.do === 'restore' ? [{ edit: effect.edit, earlier: effect.earlier }] : [])),
    activations: effects.flatMap((effect) => activationOf(effect)),
    ...(invocationId === '' ? {} : { invocationId }),
  };
}

function activationOf(effect: Effect): Activation[] {
  if (effect.do === 'daemonReload') return [{ do: 'daemonReload', timeoutMs: effect.timeoutMs }];
  return effect.do === 'restart' ? [{ do: 'restart', unit: effect.unit, timeoutMs: effect.timeoutMs }] : [];
}
