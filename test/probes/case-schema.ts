/** What a case file may say: a small node, a policy, and the finding that is expected. A misspelt key is an error. */
import { z } from 'zod';

const content = z.union([
  z.string(),
  z.strictObject({
    text: z.string().optional(),
    base64: z.string().optional(),
    /** May not be read. */
    denied: z.boolean().optional(),
    /** Changed after the kubelet had started. Default: an hour before. */
    newer: z.boolean().optional(),
    /** Changed this many seconds after the start. */
    secondsAfterStart: z.number().optional(),
    /** A symlink to this path. */
    realPath: z.string().optional(),
    /** Neither file nor directory: what a link to /dev/null leads to. */
    device: z.boolean().optional(),
    missing: z.boolean().optional(),
  }),
]);

const processSchema = z.strictObject({
  pid: z.number().optional(),
  exe: z.string().optional(),
  /** argv[0] included. */
  argv: z.array(z.string()).optional(),
  cwd: z.string().optional(),
  cgroup: z.string().optional(),
  contained: z.boolean().optional(),
  deleted: z.boolean().optional(),
});

export const nodeSchema = z.strictObject({
  unit: z.string().optional(),
  /** `none`: no systemctl; `denied`: systemd may not be asked. */
  systemd: z.enum(['none', 'denied']).optional(),
  /** Of the unit; a process is there only when it is `running`. */
  state: z.enum(['running', 'inactive', 'failed', 'auto-restart', 'start-limit-hit', 'masked', 'not-found']).optional(),
  properties: z.record(z.string(), z.string()).optional(),
  /** Words for KUBELET_ARGS in the standard drop-in, and on the running command line. */
  flags: z.array(z.string()).optional(),
  /** The running command line where it differs from the standard one. */
  process: processSchema.optional(),
  /** The main process: gone or hidden; a zombie; restarting for the first `n` looks. */
  invisible: z.boolean().optional(),
  zombie: z.boolean().optional(),
  restartsWhileRead: z.number().optional(),
  /** Content of the standard config file; null: there is no file. */
  config: z.union([content, z.null()]).optional(),
  /** In place of the standard unit file and drop-in. */
  fragmentPath: z.string().optional(),
  fragment: z.string().optional(),
  dropIns: z.record(z.string(), content).optional(),
  needReload: z.boolean().optional(),
  files: z.record(z.string(), content).optional(),
  directories: z.record(z.string(), z.enum(['missing', 'link', 'file', 'denied', 'newer'])).optional(),
  version: z.string().optional(),
  processes: z.array(processSchema.required({ pid: true, exe: true })).optional(),
  unreadableProcesses: z.number().optional(),
});

const policySchema = z.strictObject({
  judge: z.enum(['literal', 'effective', 'both']).optional(),
  minimum: z.string().optional(),
  mustBeExplicit: z.boolean().optional(),
  flagForbidden: z.boolean().optional(),
});

/** A reading as `value` or `value verdict`, `-` when there is none; texts are looked for as parts. */
const expectSchema = z.strictObject({
  verdict: z.enum(['pass', 'fail', 'unknown', 'notApplicable']),
  literal: z.string().optional(),
  effective: z.string().optional(),
  nextStart: z.string().optional(),
  source: z.string().optional(),
  nextSource: z.string().optional(),
  summary: z.string().optional(),
  expected: z.string().optional(),
  actual: z.string().optional(),
  /** Part of a drift line; absent: no drift at all. */
  drift: z.array(z.string()).optional(),
  /** Part of it; absent: none. */
  latentCrash: z.string().optional(),
  notes: z.array(z.string()).optional(),
  trips: z.number().optional(),
});

const caseSchema = z.strictObject({
  name: z.string(),
  rows: z.array(z.number()),
  node: nodeSchema,
  policy: policySchema.optional(),
  expect: expectSchema,
});

export const caseFileSchema = z.strictObject({ cases: z.array(caseSchema) });

export type NodeCase = z.infer<typeof nodeSchema>;
export type ProcessCase = z.infer<typeof processSchema>;
export type ContentCase = z.infer<typeof content>;
export type SettingCase = z.infer<typeof caseSchema>;
