/** The truth of several nodes at one moment. */
import { forEachLimited } from '../lab/command.js';
import type { LabNode } from '../lab/lab.js';
import type { Files, ServiceTruth } from './truth.js';
import { filesOf, serviceTruth } from './truth.js';

export interface NodeTruth {
  readonly files: Files;
  readonly service: ServiceTruth;
}

/** Answers for every node, by its name. */
export async function lookAt(nodes: readonly LabNode[]): Promise<(name: string) => NodeTruth> {
  const truths = new Map<string, NodeTruth>();
  await forEachLimited(nodes, 8, async (node) => {
    truths.set(node.name, { files: await filesOf(node), service: await serviceTruth(node) });
  });
  return (name) => {
    const truth = truths.get(name);
    if (!truth) throw new Error(`nobody looked at ${name}`);
    return truth;
  };
}
