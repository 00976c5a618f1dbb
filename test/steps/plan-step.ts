/** Plans one step over a case's node, as a plan of a whole host does: earlier edits are seen as if they were made. Changes nothing. */
import { digestOf, fromBase64, toBase64 } from '../../src/core/bytes.js';
import type { StepIntent, StepKind } from '../../src/core/catalogue.js';
import type { Edit } from '../../src/core/effect.js';
import type { PlannedStep } from '../../src/core/plan.js';
import type { Query, Questions } from '../../src/core/query.js';
import { ask } from '../../src/core/query.js';
import { afterEdits } from '../../src/core/questions.js';
import { predictService } from '../../src/systemd/predict-service.js';
import { askCase } from '../probes/ask-case.js';
import type { NodeCase } from '../probes/case-schema.js';

export interface StepPlan {
  readonly intent: StepIntent;
  /** What the step has read, by real path. */
  readonly read: ReadonlyMap<string, Uint8Array>;
  readonly asked: readonly Query[];
}

export function planStep(kind: StepKind, params: unknown, node: NodeCase, edits: readonly Edit[] = []): StepPlan {
  const read = new Map<string, Uint8Array>();
  const asked: Query[] = [];
  const program = kind.plan(kind.params.parse(params), { earlier: edits.map(asPlanned) });
  const { result } = askCase(watch(afterEdits(program, edits), read, asked), node);
  return { intent: result, read, asked };
}

function asPlanned(edit: Edit): PlannedStep {
  return { id: `edit of ${edit.path}`, title: '', phase: 'change', edit, diff: '' };
}

function* watch<T>(program: Questions<T>, read: Map<string, Uint8Array>, asked: Query[]): Questions<T> {
  let next = program.next();
  while (next.done !== true) {
    asked.push(...next.value);
    const answers = yield next.value;
    for (const answer of answers) {
      if (answer.ask === 'file' && answer.ok && answer.value.exists) read.set(answer.value.realPath, answer.value.bytes);
    }
    next = program.next(answers);
  }
  return next.value;
}

/** The edits that give these files these texts. */
export function editsOf(node: NodeCase, texts: Readonly<Record<string, string>> = {}): Edit[] {
  return Object.entries(texts).map(([path, text]) => {
    const [file] = askCase(askFile(path), node).result;
    if (!file.ok || !file.value.exists) throw new Error(`the case edits ${path}, which is not there`);
    const after = Buffer.from(text);
    return { do: 'write', path: file.value.realPath, before: digestOf(file.value.bytes), after: digestOf(after), content: toBase64(after) };
  });
}

function askFile(path: string) {
  return ask({ ask: 'file', path } as const);
}

/** What systemd would start once these edits are made. */
export function predictedWords(node: NodeCase, edits: readonly Edit[] = []): readonly string[] {
  const { result } = askCase(afterEdits(predictService(node.unit ?? 'kubelet.service'), edits), node);
  return result.ok ? result.prediction.words.map((word) => word.value) : [];
}

/** The node after the edits were made and the kubelet was restarted: it runs with what the files say. */
export function planAgain(kind: StepKind, params: unknown, node: NodeCase, edits: readonly Edit[]): StepIntent {
  const mended: NodeCase = { ...node, process: { ...node.process, argv: [...predictedWords(node, edits)] } };
  return askCase(afterEdits(kind.plan(kind.params.parse(params), { earlier: [] }), edits), mended).result;
}

export function textOf(edit: Edit): string {
  return edit.do === 'remove' ? 'removed' : Buffer.from(fromBase64(edit.content)).toString('utf8');
}
