/** Ways to combine questions without asking anything: remember answers, show planned edits as if they were made. */
import { fromBase64 } from './bytes.js';
import type { Edit } from './effect.js';
import type { Answer, Questions } from './query.js';

/** Answers by question, shared by all programs of one survey. */
export type AnswerMemory = Map<string, Answer>;

/**
 * Serves a question that an earlier program has asked from memory, so that steps may ask what the
 * audit has asked at no cost. A program that asks the same thing twice wants to see it again: it is asked anew.
 */
export function* remember<T>(program: Questions<T>, memory: AnswerMemory): Questions<T> {
  const known = new Map(memory);
  let next = program.next();
  while (next.done !== true) {
    const keys = next.value.map((query) => JSON.stringify(query));
    const asked = next.value.filter((_, index) => !known.has(keys[index] ?? ''));
    const fresh = asked.length > 0 ? yield asked : [];
    let used = 0;
    const answers = keys.map((key) => {
      const served = known.get(key);
      known.delete(key);
      const answer = served ?? fresh[used++];
      if (answer === undefined) throw new Error('a question was left without an answer');
      memory.set(key, answer);
      return answer;
    });
    next = program.next(answers);
  }
  return next.value;
}

/** Shows files as they will be after `edits`, so that a later step builds on an earlier one. */
export function* afterEdits<T>(program: Questions<T>, edits: readonly Edit[]): Questions<T> {
  let next = program.next();
  while (next.done !== true) {
    const queries = next.value;
    const answers = yield queries;
    next = program.next(answers.map((answer) => withEdits(answer, edits)));
  }
  return next.value;
}

function withEdits(answer: Answer, edits: readonly Edit[]): Answer {
  if (answer.ask !== 'file' || !answer.ok || !answer.value.exists) return answer;
  const file = answer.value;
  const edit = edits.findLast((candidate) => candidate.path === file.realPath);
  if (edit === undefined) return answer;
  if (edit.do === 'remove') return { ...answer, value: { exists: false } };
  const bytes = fromBase64(edit.content);
  return { ...answer, value: { ...file, bytes, size: bytes.length } };
}

