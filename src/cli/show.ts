/** `fleetmend show`: what a run did, or what happened on one of its hosts, from the journal alone; or a saved plan. Reaches for no host. */
import type { CommandModule } from 'yargs';
import { cleanLine } from '../core/clean-text.js';
import { FleetmendError, describeFailure, failureOf } from '../core/failure.js';
import { quoteText, suggestWord } from '../core/input-error.js';
import type { JournalEntry } from '../core/journal.js';
import { isHostEntry } from '../core/journal.js';
import type { HostPlan } from '../core/plan.js';
import type { RunRecord } from '../core/run-record.js';
import type { RunFolder, RunHolder } from '../journals/index.js';
import { findRun, isSavedPlan, openRunFolder } from '../journals/index.js';
import type { JsonDocument } from './json-document.js';
import { jsonDocument } from './json-document.js';
import { learnPlaybook, withheld, withoutDiffs } from './learn-playbook.js';
import { createPaint } from './paint.js';
import { print, say } from './outlet.js';
import { showStory } from './run-story.js';
import type { HostSummary, RunSummary } from './run-summary.js';
import { summariseRun } from './run-summary.js';
import { showRun } from './show-run.js';
import { openSavedPlan, savedPlanDocument, tellSavedHost, tellSavedPlan } from './show-saved-plan.js';
import { runsRoot } from './state-directory.js';

interface ShowArguments {
  run: string;
  host?: string;
  output: 'text' | 'json';
}

export const showCommand: CommandModule<object, ShowArguments> = {
  command: 'show <run> [host]',
  describe: 'what a run did, or what a saved plan would do, or the story of one host of it; connects to none',
  builder: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'name of a run, or the start of it, or a plan file' })
      .positional('host', { type: 'string', describe: 'name of a host of the run' })
      .option('output', { alias: 'o', choices: ['text', 'json'] as const, default: 'text' as const, describe: 'text for people, or one JSON document' }) as never,
  handler: async (args) => {
    if (await isSavedPlan(args.run)) {
      await print(await tellPlan(args));
      return;
    }
    const root = runsRoot();
    const folder = await openRunFolder(root, await findRun(root, args.run));
    const told = await readRun(folder);
    await print(args.host === undefined ? tellRun(told, args.output) : tellHost(told, args.host, args.output));
  },
};

async function tellPlan({ run: file, host, output }: ShowArguments): Promise<string | JsonDocument> {
  const plan = await openSavedPlan(file);
  if (host !== undefined) return tellSavedHost(plan, host, output);
  return output === 'json' ? savedPlanDocument(plan) : tellSavedPlan(plan);
}

/** A run as far as it may be told. */
interface ToldRun {
  readonly record: RunRecord;
  readonly entries: readonly JournalEntry[];
  readonly shown: ReadonlyMap<string, HostPlan>;
  readonly holder?: RunHolder;
  readonly directory: string;
}

async function readRun(folder: RunFolder): Promise<ToldRun> {
  const { record, directory } = folder;
  const isKnown = learnPlaybook(record.playbook, 'this run') !== undefined;
  const holder = await folder.holder();
  const told = { record, directory, entries: await folder.readEntries(), shown: await shownPlans(folder), ...(holder ? { holder } : {}) };
  if (isKnown) return told;
  return {
    ...told, record: { ...record, playbook: withheld(record.playbook) },
    entries: told.entries.map((entry) => (entry.type === 'planned' ? { ...entry, plan: withoutDiffs(entry.plan) } : entry)),
    shown: new Map([...told.shown].map(([host, plan]) => [host, withoutDiffs(plan)])),
  };
}

function tellRun({ record, entries, shown, holder, directory }: ToldRun, output: ShowArguments['output']): string | JsonDocument {
  const summary = summariseRun(record, entries, shown, holder);
  if (output === 'text') return showRun(summary, holder !== undefined, createPaint(process.stdout, process.env));
  const { run, startedAt, by, playbook, plan } = record;
  const { text: _text, ...named } = playbook;
  const hosts = summary.hosts.map(hostDocument);
  return jsonDocument({ run, startedAt, by, playbook: named, plan, state: summary.state, holder, directory, outcomes: Object.fromEntries(summary.outcomes), open: summary.open, rollout: summary.rollout, rolloutFacts: summary.ofRun, hosts }, { withBytes: false });
}

function tellHost({ record, entries, shown }: ToldRun, name: string, output: ShowArguments['output']): string | JsonDocument {
  const host = hostOf(summariseRun(record, entries, shown), name);
  const own = entries.filter(isHostEntry).filter((entry) => entry.host === name);
  if (output === 'text') return showStory(record.run, host, own, createPaint(process.stdout, process.env));
  return jsonDocument({ run: record.run, ...hostDocument(host), finding: host.state.plan?.finding, entries: own }, { withBytes: false });
}

/** They only tell what a resume would do: the story is told without them. */
async function shownPlans(folder: RunFolder): Promise<ReadonlyMap<string, HostPlan>> {
  try {
    return await folder.readShown();
  } catch (thrown) {
    say(`fleetmend: ${cleanLine(describeFailure(failureOf(thrown)))}`);
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
