/** Runs a program of questions against a case's node, as a session would, and counts the round trips. */
import type { Questions } from '../../src/core/query.js';
import { answerFromCase } from './answer-from-case.js';
import type { NodeCase } from './case-schema.js';

export function askCase<T>(program: Questions<T>, node: NodeCase): { readonly result: T; readonly trips: number } {
  let looks = 0;
  let trips = 0;
  let next = program.next();
  while (next.done !== true) {
    trips += 1;
    const questions = next.value;
    const isLook = questions.some((query) => query.ask === 'unit');
    const look = isLook ? looks : looks - 1;
    next = program.next(questions.map((query) => answerFromCase(node, query, look)));
    if (isLook) looks += 1;
  }
  return { result: next.value, trips };
}
