/**
 * Asks the node until nothing is missing: what is known decides what to ask next, and everything that can be asked
 * at once is one round trip. Never asks the same thing twice.
 */
import type { Answer, FileReading, Query, Questions } from './query.js';

type Kind = Query['ask'];
type AnswerOf<K extends Kind> = Extract<Answer, { ask: K }>;

/** Answers by question. */
export class Known {
  private readonly answers = new Map<string, Answer>();
  private readonly conclusions = new Map<string, unknown>();

  has(query: Query): boolean {
    return this.answers.has(keyOf(query));
  }

  remember(query: Query, answer: Answer): void {
    this.answers.set(keyOf(query), answer);
    this.conclusions.clear();
  }

  /** What `draw` makes of the answers so far; drawn again only after a new answer. A name stands for one kind of value. */
  conclude<T>(name: string, draw: () => T): T {
    if (!this.conclusions.has(name)) this.conclusions.set(name, draw());
    return this.conclusions.get(name) as T;
  }

  get<K extends Kind>(query: Extract<Query, { ask: K }>): AnswerOf<K> | undefined {
    const answer = this.answers.get(keyOf(query));
    return answer !== undefined && isOf(answer, query.ask) ? answer : undefined;
  }

  file(path: string): FileReading | undefined {
    return this.get<'file'>({ ask: 'file', path });
  }
}

/** `need` names every question whose answer is wanted as far as it can tell now; answered ones are left out. */
export function* gather(known: Known, need: () => readonly Query[]): Questions<void> {
  for (;;) {
    const missing = new Map(need().filter((query) => !known.has(query)).map((query) => [keyOf(query), query]));
    if (missing.size === 0) return;
    const queries = [...missing.values()];
    const answers = yield queries;
    for (const [index, query] of queries.entries()) {
      known.remember(query, answers[index] ?? { ok: false, ask: query.ask, reason: 'failed', detail: 'no answer' });
    }
  }
}

function keyOf(query: Query): string {
  return JSON.stringify(query);
}

function isOf<K extends Kind>(answer: Answer, ask: K): answer is AnswerOf<K> {
  return answer.ask === ask;
}
