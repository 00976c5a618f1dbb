/**
 * Puts a pure program's questions to a node and collects the evidence. Knows nothing of what they mean. What a node answers decides
 * what is asked next, so a node could go on for ever: one look at it has an end.
 */
import type { Evidence } from '../core/finding.js';
import { FleetmendError } from '../core/failure.js';
import type { Clock, ReadSession } from '../core/ports.js';
import type { Query, Questions } from '../core/query.js';

/** No new round trip is begun after that; each has a limit of its own. Real looks take a second, on a slow node a minute. */
export const LOOK_LIMIT_MS = 300_000;
/** Real looks take up to ten round trips. */
export const ROUND_TRIPS_LIMIT = 100;
/** Real looks ask some dozen questions, one for each file. */
export const QUESTIONS_LIMIT = 5_000;

/** Rejects with FleetmendError. */
export async function answerQuestions<T>(
  program: Questions<T>,
  session: ReadSession,
  clock: Clock,
  evidence?: Evidence[],
): Promise<T> {
  const limits = createLimits(clock);
  let next = program.next();
  while (next.done !== true) {
    const queries = next.value;
    if (queries.length > 0) limits.count(queries);
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

function createLimits(clock: Clock): { count(queries: readonly Query[]): void } {
  const startedMs = clock.monotonicMs();
  let trips = 0;
  let questions = 0;
  return {
    count(queries) {
      trips += 1;
      questions += queries.length;
      if (clock.monotonicMs() - startedMs > LOOK_LIMIT_MS) {
        throw new FleetmendError({ kind: 'timeout', summary: `the node was not looked at within ${LOOK_LIMIT_MS / 60_000} min: it answers too slowly` });
      }
      if (trips > ROUND_TRIPS_LIMIT || questions > QUESTIONS_LIMIT) {
        throw new FleetmendError({
          kind: 'protocol', summary: 'what the node answers leads to ever more questions',
          next: `look at this node by hand: ${QUESTIONS_LIMIT} files and units, or ${ROUND_TRIPS_LIMIT} round trips, are more than a kubelet has to do with`,
        });
      }
    },
  };
}
