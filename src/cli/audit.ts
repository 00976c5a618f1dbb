/** `fleetmend audit`: what is true on every host. Changes nothing, anywhere. */
import type { CommandModule } from 'yargs';
import type { SurveyResult } from '../core/report.js';
import { surveyExitCode } from '../core/report.js';
import { auditFleet } from '../engine/survey-fleet.js';
import { composeFleet } from './compose.js';
import { jsonDocument, plainEvidence } from './json-document.js';
import type { FleetArguments } from './options.js';
import { withFleetOptions } from './options.js';
import { createPaint } from './paint.js';
import { print } from './outlet.js';
import { startSession } from './run-stage.js';
import { showFindings } from './show-findings.js';

type AuditArguments = FleetArguments & { evidence: boolean };

export const auditCommand: CommandModule<object, AuditArguments> = {
  command: 'audit <playbook>',
  describe: 'audit the control of a playbook on every host; changes nothing',
  builder: (yargs) =>
    withFleetOptions(yargs)
      .option('evidence', { type: 'boolean', default: false, describe: 'with --output json: raw bytes as base64, not only digests' })
      .example('$0 audit playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml -i inventories/example.yaml', '') as never,
  handler: async (args) => {
    process.exitCode = await audit(args);
  },
};

async function audit(args: AuditArguments): Promise<number> {
  const fleet = await composeFleet(args);
  const session = startSession(fleet, { output: args.output });
  try {
    const names = fleet.hosts.map((host) => host.name);
    const surveyed = await session.stage('audit', names, (emit) => auditFleet(fleet.hosts, session.ports(emit, args.output === 'json' ? 'keep' : 'drop')));
    const results = surveyed.map(({ host, value, failure }): SurveyResult =>
      failure === undefined ? { host: host.name, finding: value } : { host: host.name, failure });
    const exitCode = surveyExitCode(results, session.interrupts.drain.aborted);
    if (args.output === 'text') await print(showFindings(results, createPaint(process.stdout, process.env)));
    if (args.output === 'json') {
      const hosts = surveyed.map(({ host, value, failure, evidence, hostKey }) => ({
        host: host.name, hostKey, verdict: value?.verdict ?? 'unknown', finding: value, failure, evidence: plainEvidence(evidence),
      }));
      const { playbook } = fleet;
      await print(jsonDocument({ run: session.run, stage: 'audit', playbook: playbook.name, control: playbook.control, exitCode, hosts }, { withBytes: args.evidence }));
    }
    return exitCode;
  } finally {
    await session.close();
  }
}
