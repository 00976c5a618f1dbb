/** Which names say that their value is a secret, and which values under such a name are none. Pure; knows no file format. */

/** Ends of names, in small letters without `-`, `_` and `.`. */
const ENDINGS = [
  'password', 'passwd', 'passphrase', 'token', 'secret', 'credential', 'privatekey', 'apikey', 'secretkey', 'accesskey', 'encryptionkey', 'signingkey',
  'sharedkey', 'keydata', 'dockerconfigjson',
];
/** Whole names that are too short to be endings. `auth` is what container runtimes call it. */
const WHOLE = ['pass', 'auth'];
/** `DB_PASS`, `dbPass`, `db-pwd`; not `bypass`, and not the PWD of a shell. */
const SHORT_ENDING = /(?:[a-z0-9]P|[_.-][Pp])(?:ass|wd)$|[_.-](?:PASS|PWD)$/;
/** A name can be as long as a file; only its end counts. */
const COUNTED_CHARACTERS = 80;
/** A tag of sudoers; what follows it is a command. */
const NO_PASSWORD = 'NOPASSWD';

/** `more`: further endings that a playbook names, as `normalName` gives them. */
export function isSecretName(name: string, more: readonly string[] = []): boolean {
  if (name === NO_PASSWORD) return false;
  const end = name.slice(-COUNTED_CHARACTERS);
  const normal = normalName(end);
  if (WHOLE.includes(normal) || (SHORT_ENDING.test(end) && !/^(?:OLD)?PWD$/i.test(end) && normal !== 'oldpwd')) return true;
  return [...ENDINGS, ...more].some((ending) => normal.endsWith(ending) || normal.endsWith(`${ending}s`));
}

/** `--KUBE_api.Pin2` and `kubeApiPin` are one name. */
export function normalName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]/g, '').replace(/\d{1,9}$/, '');
}

/** Also the head of a block in YAML: its lines are looked at apart. */
const NOTHING = /^(?:|null|~|true|false|yes|no|on|off|none|[|>][-+0-9]{0,3})$/i;
/** Longer ones, and those that begin with a zero, count nothing. */
const NUMBER = /^[+-]?(?:0|[1-9]\d{0,8})(?:\.\d{1,9})?$/;
/** What stands for a value that somebody else puts in. */
const REFERENCE = /^\$\{[A-Za-z_]\w*\}$|^\$[A-Z_][A-Z0-9_]*$/;
const COUNTED_VALUE_CHARACTERS = 200;

/** A number is a count (`maxTokens: 4096`), except where a password is asked for. */
export function isSecretValue(name: string, value: string): boolean {
  const bare = value.trim();
  if (bare.length > COUNTED_VALUE_CHARACTERS) return true;
  if (NOTHING.test(bare) || REFERENCE.test(bare)) return false;
  return !NUMBER.test(bare) || /pass|pwd|pin$/i.test(name.slice(-COUNTED_CHARACTERS));
}
