/** The keys of an inventory and what each may hold. Messages continue the word "expected". */
import { isIP, isIPv4 } from 'node:net';
import { z } from 'zod';
import { becomeSchema, pathText, sshSchema, text } from './inventory-ssh-schema.js';
import { parsePlainDuration } from './plain-duration.js';

/** Letters of DNS names plus `_`; never a leading `-`, which a program would take for an option. */
const HOST_NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_][A-Za-z0-9_-]*)*$/u;
const LABEL_WORD = /^[A-Za-z0-9_][A-Za-z0-9._/:@+-]*$/u;
const MAX_CONNECT_TIMEOUT_MS = 600_000;

export const HOST_NAME_EXPECTED = 'a host name of letters, digits, ".", "-" and "_" that does not start with "-", at most 253 characters';
export const ADDRESS_EXPECTED = 'a host name, an IPv4 address or an IPv6 address without brackets';

/** Names of hosts end up in file names, in `--limit` and in log lines. */
export function isHostName(name: string): boolean {
  return name.length <= 253 && HOST_NAME.test(name) && !looksLikeBadIPv4(name);
}

export const GROUP_NAME_EXPECTED = 'a group name of letters, digits and "._-", at most 63 characters';

export function isGroupName(name: string): boolean {
  return name.length <= 63 && /^[A-Za-z0-9_][A-Za-z0-9._-]*$/u.test(name);
}

export function isAddress(address: string): boolean {
  return isIP(address) !== 0 || isHostName(address.endsWith('.') ? address.slice(0, -1) : address);
}

/** `10.0.0.300` would be looked up as a name, long and in vain. */
function looksLikeBadIPv4(name: string): boolean {
  return /^[\d.]*\.[\d.]*$/u.test(name) && !isIPv4(name);
}

const labelKey = text('a label name of letters, digits and "._/:@+-", at most 63 characters', (key) => key.length <= 63 && LABEL_WORD.test(key)).refine(
  (key) => key !== 'group',
  { error: 'another label name: every host gets the label group by itself' },
);
const labelValue = text(
  'a label value of letters, digits and "._/:@+-", at most 253 characters; put quotes around a number',
  (value) => value.length <= 253 && LABEL_WORD.test(value),
);

const PORT_EXPECTED = 'a port from 1 to 65535';
const CONNECT_TIMEOUT_EXPECTED = 'a time from 1s to 10m such as 10s or 1m30s';

const settings = {
  user: text('a user name without blanks, control characters or a leading "-", at most 256 characters', (user) => {
    return user.length <= 256 && /^[^\s\p{C}-][^\s\p{C}]*$/u.test(user);
  }).optional(),
  port: z.int({ error: PORT_EXPECTED }).min(1, { error: PORT_EXPECTED }).max(65_535, { error: PORT_EXPECTED }).optional(),
  identityFile: pathText('a private key file').optional(),
  become: becomeSchema.optional(),
  connectTimeout: z
    .string({ error: CONNECT_TIMEOUT_EXPECTED })
    .transform((value) => parsePlainDuration(value) ?? 0)
    .refine((ms) => ms >= 1000 && ms <= MAX_CONNECT_TIMEOUT_MS, { error: CONNECT_TIMEOUT_EXPECTED })
    .optional(),
  transport: z.enum(['ssh2', 'openssh']).optional(),
  ssh: sshSchema.optional(),
  labels: z.record(labelKey, labelValue).optional(),
};

export const settingsSchema = z.strictObject(settings);
/** After the check: times in milliseconds. */
export type Settings = z.infer<typeof settingsSchema>;

/** The parts are checked one by one, so that an error in one never hides the errors in another. */
export const fileSchema = z.strictObject({ defaults: z.unknown().optional(), groups: z.unknown().optional() });
export const groupSchema = z.strictObject({ ...settings, hosts: z.unknown().optional() });
export const hostSchema = z.strictObject({
  name: z.string({ error: 'a host name or a range' }),
  address: z.string({ error: ADDRESS_EXPECTED }).optional(),
  ...settings,
});
