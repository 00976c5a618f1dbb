/** Puts a pure program's questions to a node and collects the evidence. Knows nothing of what they mean. */
import type { Evidence } from '../core/finding.js';
import type { Clock, ReadSession } from '../core/ports.js';
import type { Questions } from '../core/query.js';

export async function answerQuestions<T>(
  program: Questions<T>,
  session: ReadSession,
  clock: Clock,
  evidence?: Evidence[],
): Promise<T> {
  let next = program.next();
  while (next.done !== true) {
    const queries = next.value;
    const askedAt = clock.now().toISOString();
    const answers = queries.length > 0 ? await session.ask(queries) : [];
    for (const [index, query] of queries.entries()) {
      const answer = answers[index];
      if (answer !== undefined) evidence?.push({ askedAt, query, answer });
    }
    next = program.next(answers);
  }
  return next.value;
}
