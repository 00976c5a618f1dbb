/** The keys of an inventory about SSH, becoming root, and where passwords come from. A secret itself has no place in it. */
import { z } from 'zod';
import { JUMP_EXPECTED, parseJump } from '../core/jump.js';

export function text(expected: string, accepts: (value: string) => boolean) {
  return z.string({ error: expected }).refine(accepts, { error: expected });
}

export const pathText = (what: string) => text(`a path of ${what}: absolute, relative to this file, or ~/...`, (path) => {
  return path.trim() !== '' && path.length <= 4096 && !/\p{Cc}/u.test(path) && !/^~[^/]/u.test(path);
});

const VARIABLE_EXPECTED = 'the name of an environment variable such as NODE_PASSWORD';
const COMMAND_EXPECTED = 'a program and its arguments as a list, such as [pass, show, "nodes/{host}"]';
const JUMPS_EXPECTED = `none, ${JUMP_EXPECTED}, or a list of them`;
const MAX_JUMPS = 8;

const jump = text(JUMP_EXPECTED, (value) => parseJump(value) !== undefined);
const areJumps = (jumps: readonly string[]): boolean => jumps.length <= MAX_JUMPS && jumps.every((one) => parseJump(one) !== undefined);
const proxyJump = z.union([
  z.array(jump, { error: JUMPS_EXPECTED }).min(1, { error: JUMPS_EXPECTED }).max(MAX_JUMPS, { error: `at most ${MAX_JUMPS} jump hosts` }),
  text(JUMPS_EXPECTED, (value) => areJumps(jumpsOf(value))).transform((value) => (value === 'none' ? value : jumpsOf(value))),
]);

function jumpsOf(value: string): string[] {
  return value.split(',').map((one) => one.trim());
}

/** Where a password comes from; `none` takes back what an outer level says. */
const secretKeys = {
  password: z.enum(['none', 'prompt'], { error: 'none or prompt: a password itself never stands in an inventory' }).optional(),
  passwordEnv: text(VARIABLE_EXPECTED, (name) => /^[A-Za-z_][A-Za-z0-9_]{0,255}$/u.test(name)).optional(),
  passwordCommand: z
    .array(text(COMMAND_EXPECTED, (word) => word.length <= 4096 && !word.includes('\0')), { error: COMMAND_EXPECTED })
    .refine((words) => words.length >= 1 && words.length <= 100 && words[0] !== '', { error: COMMAND_EXPECTED })
    .optional(),
};

interface SecretKeys {
  readonly password?: 'none' | 'prompt' | undefined;
  readonly passwordEnv?: string | undefined;
  readonly passwordCommand?: string[] | undefined;
}

const oneSource = (keys: SecretKeys): boolean => [keys.password, keys.passwordEnv, keys.passwordCommand].filter((one) => one !== undefined).length <= 1;
const ONE_SOURCE = { error: 'only one of password, passwordEnv and passwordCommand' };

export const sshSchema = z.strictObject({
  config: z.union([z.literal('none'), pathText('an ssh_config file')], { error: 'none or a path of an ssh_config file' }).optional(),
  proxyJump: proxyJump.optional(),
  certificateFile: pathText('a certificate file').optional(),
  hostKeyAlias: text('a name as it stands in known_hosts', (name) => name.length <= 253 && /^[A-Za-z0-9_.%:[\]-]+$/u.test(name)).optional(),
  legacyAlgorithms: z.boolean().optional(),
  ...secretKeys,
}).refine(oneSource, ONE_SOURCE);

const METHODS = ['none', 'sudo', 'doas', 'su'] as const;
const BECOME_EXPECTED = 'none, sudo, doas, su, or a mapping with method';

export const becomeSchema = z.union([
  z.strictObject({
    method: z.enum(METHODS).optional(),
    tty: z.boolean().optional(),
    scope: z.enum(['shell', 'commands']).optional(),
    ...secretKeys,
  }).refine(oneSource, ONE_SOURCE),
  z.enum(METHODS, { error: BECOME_EXPECTED }),
]);

export type SshSettings = z.infer<typeof sshSchema>;
export type BecomeSettings = Exclude<z.infer<typeof becomeSchema>, string>;

/** What stands where a password could have been written by mistake: for no error to show. */
export function mistakenSecrets(level: unknown): string[] {
  return [memberOf(level, 'ssh'), memberOf(level, 'become')].flatMap((keys) => [memberOf(keys, 'password'), memberOf(keys, 'passwordEnv')])
    .filter((value): value is string | number => typeof value === 'string' || typeof value === 'number').map(String);
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}
