/** Generated configurations, given to `ssh -G` and to src/ssh-config: both refuse, or both mean the same. FUZZ_RUNS asks for more. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askOurs, askSsh, differences, readDefaults } from './ssh-oracle.js';
import type { Question, SshDefaults } from './ssh-oracle.js';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 100);

const oneOf = fc.constantFrom;
const NAMES = ['a', 'b', 'node-1', 'node-12', 'db.example.org', 'A', 'Node-1', '10.0.0.1', '127.1', '::1', 'real'];
const PATTERNS = [
  ...NAMES, '*', '?', '!a', '!*', 'node-*', '!node-1', '*.example.org', 'n?de-1*', '**', '!node-12', '*-1', '[ab]', 'a*b*', '',
];
const USERS = ['root', 'bob', 'alice', 'deploy', 'x y', 'b*b', 'corp@bob'];

/** Values that both take, and values of which most are refused. */
interface Values {
  readonly right: readonly string[];
  readonly wrong: readonly string[];
}
const FILES: Values = {
  right: ['/k/one', '/k/two', 'one', '~/k', '~', '~/', '%%', '/k/%h', '%n-%p', '/a b', 'ünï', 'a#b', 'a=b', "it's", 'a\\ b'],
  wrong: [...USERS, ...NAMES, 'none', '~root/k', '~nobodyatall/k', '%h', '%z', '${FM_NAME}', '${FM_NOT_SET}', '${', '#x', '', '\\'],
};
const FLAGS: Values = { right: ['yes', 'no', 'true', 'FALSE', 'Yes'], wrong: ['maybe', '1', ''] };
const TIMES: Values = { right: ['5', '0', '30s', '1m', '1h30m', '2d1', 'none', '2147483647', '4w', '035', '+7'], wrong: ['-1', '1.5', '5x', '9999999999', ' 7'] };
const KEYS: Values = {
  right: ['ssh-ed25519', 'ssh-rsa', 'rsa-sha2-256', 'ecdsa-sha2-nistp256', 'ssh-ed25519-cert-v01@openssh.com', 'rsa-sha2-*', '*-cert-v01@openssh.com', 'sk-*'],
  wrong: ['*', 'ssh-dss', 'RSA', '!ssh-rsa', '', 'ssh-ed2551'],
};
const CIPHERS: Values = { right: ['aes128-ctr', 'aes256-gcm@openssh.com', 'chacha20-poly1305@openssh.com', '3des-cbc', 'aes128-cbc'], wrong: ['aes*', '*', '!aes128-ctr', '', 'aes129-ctr'] };
const KEX: Values = {
  right: ['curve25519-sha256', 'ecdh-sha2-nistp256', 'diffie-hellman-group14-sha1', 'sntrup761x25519-sha512@openssh.com'], wrong: ['diffie-hellman-*', '*', '!curve25519-sha256', '', 'curve'],
};
const MACS: Values = { right: ['hmac-sha2-256', 'hmac-sha1', 'umac-64@openssh.com', 'hmac-sha2-512-etm@openssh.com'], wrong: ['*-etm@openssh.com', 'hmac-*', '!hmac-sha1', '', 'hmac-sha4'] };
const JUMPS: Values = {
  right: ['bastion', 'ops@bastion', 'bastion:2222', '[::1]:22', '10.0.0.9', 'ssh://ops@bastion:99', 'none', 'x@y@z', 'gate', 'b:'], wrong: ['', ':1', 'b:0', 'a', '@b', '[::1', 'ssh://b/p', 'ssh://b/', 'b/c', '-x'],
};

const words = (list: readonly string[], least: number, most: number): fc.Arbitrary<string[]> => fc.array(oneOf(...list), { minLength: least, maxLength: most });

/** `wild`: wrong values too. */
function optionsOf(wild: boolean): Readonly<Record<string, fc.Arbitrary<string[]>>> {
  const some = ({ right, wrong }: Values): readonly string[] => (wild ? [...right, ...wrong] : right);
  /** Mostly one word; now and then none or two, to be refused. */
  const single = (right: readonly string[] | Values, ...wrong: string[]): fc.Arbitrary<string[]> => {
    const values = some('right' in right ? right : { right, wrong });
    return wild ? fc.oneof({ weight: 20, arbitrary: words(values, 1, 1) }, { weight: 1, arbitrary: words(values, 0, 2) }) : words(values, 1, 1);
  };
  const list = (values: Values): fc.Arbitrary<string[]> => fc.oneof(
    fc.tuple(oneOf('', '', '+', '^'), words(some(values), 1, 4)).map(([mode, parts]) => [mode + parts.join(',')]),
    // What is taken away may be patterns.
    words([...values.right, ...values.wrong.filter((one) => one.includes('*') && (wild || one.length > 1))], 1, 3).map((parts) => [`-${parts.join(',')}`]),
  );
  const files = (least: number): fc.Arbitrary<string[]> => words(some(FILES).filter((word) => !/^\$\{$/.test(word)), least, 3);
  return {
    HostName: single(['real', 'REAL.example', '%h.example', '10.1.2.3', '127.2', '%%h', '2001:DB8:0::1'], '%n'),
    User: single(USERS), Port: single(['22', '2222', '65535', '+9', '007'], '0', '65536', 'ssh', '-1', 'x'),
    IdentityFile: single(some(FILES).filter((word) => !/[%$\\#=]|it's|nobody|^~root|^$/.test(word))),
    CertificateFile: single(['/c/one', '~/two', 'three']),
    IdentitiesOnly: single(FLAGS), HashKnownHosts: single(FLAGS), PasswordAuthentication: single(FLAGS), ChallengeResponseAuthentication: single(FLAGS),
    PubkeyAuthentication: single([...FLAGS.right, 'unbound', 'host-bound'], ...FLAGS.wrong), CanonicalizeHostname: single(['no', 'no', 'false'], 'yes', 'x'),
    IdentityAgent: single(['none', 'SSH_AUTH_SOCK', '~/a', '/a/%h', '${FM_NAME}', '/a/%r%n%p%u%l%L%d%i%k'], '${FM_NOT_SET}', '%z'),
    UserKnownHostsFile: files(wild ? 0 : 1), GlobalKnownHostsFile: words(wild ? ['/g/one', '/g/two', 'none', '%h', ''] : ['/g/one', '/g/two', '%h'], wild ? 0 : 1, 3),
    StrictHostKeyChecking: single([...FLAGS.right, 'ask', 'accept-new', 'off'], ...FLAGS.wrong), HostKeyAlias: single(['Alias', 'b', 'x y']),
    ConnectTimeout: single(TIMES), ServerAliveInterval: single(TIMES), ServerAliveCountMax: single(['0', '3', '12'], '-1', 'x', '4294967296'),
    KexAlgorithms: list(KEX), Ciphers: list(CIPHERS), MACs: list(MACS), HostKeyAlgorithms: list(KEYS), PubkeyAcceptedAlgorithms: list(KEYS),
    AddressFamily: single(['any', 'inet', 'inet6', 'INET'], 'inet4'), BindAddress: single(['10.0.0.2', '::1']), RevokedHostKeys: single(['none', '/r/keys']),
    PreferredAuthentications: single(['publickey', 'password,publickey', 'keyboard-interactive']),
    ProxyJump: (wild ? words(some(JUMPS), 1, 3) : fc.oneof(words(JUMPS.right, 1, 1), words(JUMPS.right.filter((jump) => jump !== 'none'), 2, 3))).map((hops) => [hops.join(',')]),
    ProxyCommand: oneOf(['nc', '%h', '%p'], ['none'], ['ssh', '-W', '[%h]:%p', '-l', '%r', 'jump']),
    IgnoreUnknown: wild ? oneOf(['UseKeychain'], ['Use*,Other'], ['!UseKeychain,*']) : oneOf(['Use*,Other']),
    // Refused, unless IgnoreUnknown stands above.
    ...(wild ? { UseKeychain: oneOf(['yes']), Other: oneOf(['x', 'y']) } : {}),
    ForwardX11: single(FLAGS), Compression: single(['yes', 'no']), SendEnv: oneOf(['LANG', 'LC_*']), LogLevel: single(['DEBUG3', 'quiet', 'INFO']), RequestTTY: single(['force', 'no'], 'x'),
    GSSAPIAuthentication: single(FLAGS), Protocol: oneOf(['2']), UsePrivilegedPort: oneOf(['no']),
  };
}

/** Words as a person might quote them. A word of ProxyCommand and ProxyJump is never quoted: there quotes belong to the text. */
const quoted = (word: string): fc.Arbitrary<string> => {
  const needsQuotes = word === '' || /[ #]/.test(word);
  const inDouble = `"${word.replace(/["\\]/g, '\\$&')}"`;
  const plain = word.replace(/[\\']/g, '\\$&');
  return needsQuotes ? oneOf(inDouble) : oneOf(plain, plain, plain, inDouble, word === "it's" ? inDouble : `'${word}'`);
};
const GAPS = [' ', ' ', ' ', '  ', '\t', '=', ' = ', '= ', ' =\t'];
const RAW = ['ProxyCommand', 'ProxyJump'];

function optionLine(wild: boolean): fc.Arbitrary<string> {
  const options = optionsOf(wild);
  return oneOf(...Object.keys(options)).chain((option) =>
    fc.tuple(oneOf(option, option, option.toLowerCase(), option.toUpperCase(), `"${option}"`), oneOf(...GAPS), options[option] ?? fc.constant([]))
      .chain(([keyword, gap, values]) => fc.tuple(...(RAW.includes(option) ? values.map((value) => fc.constant(value)) : values.map(quoted)))
        // Behind a quoted keyword a `=` belongs to the value; behind ProxyJump a comment is read in two ways by two versions.
        .map((texts) => `${keyword}${keyword.startsWith('"') ? ' ' : gap}${texts.join(' ')}`)));
}

const criterion = (wild: boolean): fc.Arbitrary<string> => fc.oneof(
  { weight: 3, arbitrary: fc.tuple(oneOf('', '', '!'), oneOf('host', 'originalhost', 'HOST'), oneOf(' ', '='), words(PATTERNS.filter((one) => one !== ''), 1, 3)).map(([not, name, gap, list]) => `${not}${name}${gap}${list.join(',')}`) },
  { weight: 3, arbitrary: fc.tuple(oneOf('', '!'), oneOf('user', 'localuser'), words(['bob', 'root', '*', '!bob', 'a*', '"x y"'], 1, 1)).map(([not, name, list]) => `${not}${name} ${list.join(',')}`) },
  { weight: 2, arbitrary: oneOf('final', '!final', 'canonical', 'exec false', 'exec "false %h"', ...(wild ? ['all', '!all', 'exec "%z"', 'nonsense', 'host', '# rest', '""'] : [])) },
);
const block = (wild: boolean): fc.Arbitrary<string> => fc.oneof(
  { weight: 3, arbitrary: words(wild ? PATTERNS : PATTERNS.filter((one) => one !== ''), 1, 3).chain((list) => fc.tuple(...list.map(quoted))).map((list) => `Host ${list.join(' ')}`)
      // An empty pattern is refused here wherever it stands; ssh does not see it behind a negated one that matches.
      .filter((text) => !/^Host .+ ""/.test(text)) },
  { weight: 2, arbitrary: fc.array(criterion(wild), { minLength: 1, maxLength: 3 }).map((list) => `Match ${list.join(' ')}`) },
  { weight: 1, arbitrary: oneOf('Match all', 'Match canonical all', 'Match final all') },
);
const line = (wild: boolean): fc.Arbitrary<string> => fc.oneof(
  { weight: 10, arbitrary: fc.tuple(oneOf('', '  ', '\t'), optionLine(wild), oneOf('', '', '', ' ', '\r', '\f')).map((parts) => parts.join('')) },
  { weight: 4, arbitrary: block(wild) },
  { weight: 1, arbitrary: oneOf('', '# comment', '   ', '\t# x', 'Include @INC@', 'Include @INC@ /nowhere/at/all*') },
);
/** The lines of a file and of one that it includes. Two refused configurations have no meaning to compare: most are made of what both take. */
const files = fc.oneof(...[{ wild: false, weight: 4 }, { wild: true, weight: 1 }].map(({ wild, weight }) => (
  { weight, arbitrary: fc.tuple(fc.array(line(wild), { maxLength: 14 }), fc.array(line(wild), { maxLength: 4 })) })));
const question: fc.Arbitrary<Question> = fc.record(
  { name: oneOf(...NAMES, 'x.y'), user: oneOf('bob', 'root'), port: oneOf(2022, 22) }, { requiredKeys: ['name'] });

let directory = '';
let defaults: SshDefaults;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'fleetmend-ssh-config-'));
  defaults = await readDefaults();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it('a generated configuration is refused by both, or means the same to both', async () => {
  const counts = { files: 0, answers: 0, accepted: 0 };
  const check = fc.asyncProperty(files, fc.array(question, { minLength: 1, maxLength: 2 }), async ([lines, included], questions) => {
    counts.files += 1;
    const file = join(directory, `${counts.files}.conf`);
    const include = join(directory, `${counts.files}.inc`);
    writeFileSync(file, `${lines.join('\n').replaceAll('@INC@', include)}\n`, { mode: 0o600 });
    writeFileSync(include, `${included.join('\n').replaceAll('Include @INC@', '#')}\n`, { mode: 0o600 });
    for (const one of questions) {
      const [ssh, ours] = await Promise.all([askSsh(['-F', file], one), askOurs({ ...one, files: { home: userInfo().homedir, file } }, defaults)]);
      counts.answers += 1;
      if ('options' in ssh) counts.accepted += 1;
      expect(differences(ssh, ours), JSON.stringify(one)).toEqual([]);
    }
  });
  await fc.assert(check, { numRuns: RUNS });
  expect(counts.accepted / counts.answers).toBeGreaterThan(0.5);
  if (process.env['FUZZ_RUNS'] !== undefined) process.stderr.write(`ssh_config: ${JSON.stringify(counts)}\n`);
});
