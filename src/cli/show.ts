/** `fleetmend show`: what a run did, or what happened on one of its hosts, from the journal alone. Reaches for no host. */
import type { CommandModule } from 'yargs';
import { cleanLine } from '../core/clean-text.js';
import { FleetmendError, describeFailure, failureOf } from '../core/failure.js';
import { quoteText, suggestWord } from '../core/input-error.js';
import type { HostPlan } from '../core/plan.js';
import type { RunFolder } from '../journals/index.js';
import { findRun, openRunFolder } from '../journals/index.js';
import { jsonDocument } from './json-document.js';
import { createPaint } from './paint.js';
import { print } from './run-stage.js';
import { showStory } from './run-story.js';
import type { HostSummary, RunSummary } from './run-summary.js';
import { summariseRun } from './run-summary.js';
import { showRun } from './show-run.js';
import { runsRoot } from './state-directory.js';

interface ShowArguments {
  run: string;
  host?: string;
  output: 'text' | 'json';
}

export const showCommand: CommandModule<object, ShowArguments> = {
  command: 'show <run> [host]',
  describe: 'what a run did, or the story of one of its hosts; connects to none',
  builder: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'name of a run, or the start of it' })
      .positional('host', { type: 'string', describe: 'name of a host of the run' })
      .option('output', { alias: 'o', choices: ['text', 'json'] as const, default: 'text' as const, describe: 'text for people, or one JSON document' }) as never,
  handler: async (args) => {
    const root = runsRoot();
    const folder = await openRunFolder(root, await findRun(root, args.run));
    await print(args.host === undefined ? await tellRun(folder, args.output) : await tellHost(folder, args.host, args.output));
  },
};

async function tellRun(folder: RunFolder, output: ShowArguments['output']): Promise<string> {
  const holder = await folder.holder();
  const summary = summariseRun(folder.record, await folder.readEntries(), await shownPlans(folder), holder);
  if (output === 'text') return showRun(summary, holder !== undefined, createPaint(process.stdout, process.env));
  const { run, startedAt, by, playbook } = folder.record;
  const { text: _text, ...named } = playbook;
  const hosts = summary.hosts.map(hostDocument);
  return jsonDocument({ run, startedAt, by, playbook: named, state: summary.state, holder, directory: folder.directory, outcomes: Object.fromEntries(summary.outcomes), open: summary.open, hosts }, { withBytes: false });
}

async function tellHost(folder: RunFolder, name: string, output: ShowArguments['output']): Promise<string> {
  const entries = await folder.readEntries();
  const host = hostOf(summariseRun(folder.record, entries, await shownPlans(folder)), name);
  const own = entries.filter((entry) => entry.host === name);
  if (output === 'text') return showStory(folder.record.run, host, own, createPaint(process.stdout, process.env));
  return jsonDocument({ run: folder.record.run, ...hostDocument(host), finding: host.state.plan?.finding, entries: own }, { withBytes: false });
}

/** They only tell what a resume would do: the story is told without them. */
async function shownPlans(folder: RunFolder): Promise<ReadonlyMap<string, HostPlan>> {
  try {
    return await folder.readShown();
  } catch (thrown) {
    process.stderr.write(`fleetmend: ${cleanLine(describeFailure(failureOf(thrown)))}\n`);
    return new Map();
  }
}

function hostDocument({ host, standing, open, where, state }: HostSummary): Record<string, unknown> {
  return { host, standing, open, where, ...state.finished };
}

function hostOf(summary: RunSummary, name: string): HostSummary {
  const found = summary.hosts.find(({ host }) => host === name);
  if (found !== undefined) return found;
  const names = summary.hosts.map(({ host }) => host);
  throw new FleetmendError({
    kind: 'badInput', summary: `run ${summary.record.run} has no host ${quoteText(name)}${suggestWord(name, names)}`,
    next: `fleetmend show ${summary.record.run} lists its hosts`,
  });
}
