/** The raw reply of an HTTP question as any of the tools prints it: status line, header, body. Pure. */
import type { AnswerTo } from '../core/query.js';
import { malformed } from './words.js';

const BODY_LIMIT_BYTES = 4096;

/** curl and bash give `HTTP/1.1 200 OK\r\n...\r\n\r\nBODY`; wget gives the header indented by two blanks, then the body. */
export function takeHttp(fields: Buffer[]): AnswerTo<{ ask: 'http'; url: string; timeoutMs: number }> {
  const raw = fields.shift();
  if (!raw) throw malformed('an HTTP reply is missing');
  const text = raw.toString('latin1');
  const status = /^\s*(?:.*? )?HTTP\/[0-9.]+ ([0-9]{3})/m.exec(text);
  if (!status) return { ok: false, ask: 'http', reason: 'failed', detail: 'the answer is not HTTP' };
  const body = Buffer.from(text.slice(bodyStart(text, status.index)), 'latin1');
  return { ok: true, ask: 'http', value: { status: Number(status[1]), body: body.subarray(0, BODY_LIMIT_BYTES).toString('utf8') } };
}

function bodyStart(text: string, statusAt: number): number {
  const blank = /\r?\n\r?\n/.exec(text.slice(statusAt));
  if (!text.slice(statusAt).startsWith(' ') && blank) return statusAt + blank.index + blank[0].length;
  let at = statusAt;
  while (text.startsWith('  ', at)) {
    const lineEnd = text.indexOf('\n', at);
    if (lineEnd < 0) return text.length;
    at = lineEnd + 1;
  }
  return at;
}
