/** Who takes part, how each is started, and how its answers are checked before a figure counts. Measures nothing. */
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, runNow } from '../lab/command.js';
import { findInit } from '../lab/container.js';
import { labDir } from '../lab/paths.js';
import type { BenchFleet } from './fleet.js';
import { PREFIX } from './fleet.js';
import type { Measured } from './measure.js';

export interface Contender {
  readonly name: string;
  readonly job: string;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Once, before the first round. */
  prepare?(): Promise<void>;
  /** After every run, outside of the measured time. */
  tidy?(): Promise<void>;
  /** What is wrong with the answers; empty when every node answered and every verdict is right. */
  faults(measured: Measured): string[];
}

export interface Absent {
  readonly name: string;
  readonly missing: string;
}

export const CONCURRENCY = 64;
const ANSIBLE_FORKS = 50;

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const ROOT = here('../..');
const PLAYBOOK = 'playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml';

const CMDLINE = 'cat /proc/$(systemctl show --property=MainPID --value kubelet.service)/cmdline';
/** What a person would ask: the command line and the file of these nodes. */
const LOOK = `${CMDLINE} /etc/kubernetes/kubelet/kubelet-config.json | tr '\\0' ' '`;

export function contenders(fleet: BenchFleet): (Contender | Absent)[] {
  return [fleetmend(fleet), bareLoop(fleet), ifInstalled('clush', clush, fleet), ifInstalled('pdsh', pdsh, fleet), ifInstalled('ansible-playbook', ansible, fleet)];
}

function ifInstalled(program: string, make: (fleet: BenchFleet) => Contender, fleet: BenchFleet): Contender | Absent {
  const found = (process.env['PATH'] ?? '').split(delimiter).some((dir) => existsSync(join(dir, program)));
  return found ? make(fleet) : { name: make(fleet).name, missing: 'not installed' };
}

function fleetmend(fleet: BenchFleet): Contender {
  return {
    name: 'fleetmend audit',
    job: 'the whole audit with evidence and verdicts, JSON document',
    argv: [
      process.execPath, join(ROOT, 'dist/main.js'), 'audit', join(ROOT, PLAYBOOK), '--inventory', fleet.inventoryFile,
      '--known-hosts', fleet.lab.knownHostsFile, '--concurrency', String(CONCURRENCY), '--output', 'json',
    ],
    faults({ code, stdout, stderr }) {
      if (code !== 4) return [`exit ${code} instead of 4: ${stderr}`];
      const { hosts } = JSON.parse(stdout) as { hosts: { host: string; verdict: string; evidence: unknown[] }[] };
      const answers = new Map(hosts.map((host) => [host.host, host.evidence.length > 0 ? host.verdict : 'no evidence']));
      return wrongVerdicts(fleet, (target) => answers.get(target.name));
    },
  };
}

function bareLoop(fleet: BenchFleet): Contender {
  return {
    name: 'bare ssh2 loop',
    job: "connect, log in, one command: the kubelet's command line",
    argv: [process.execPath, here('bare-loop.mjs'), fleet.targetsFile, String(CONCURRENCY), CMDLINE],
    faults({ code, stdout, stderr }) {
      if (code !== 0) return [`exit ${code}: ${stderr}`];
      const lines = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { host: string; stdout: string });
      const answers = new Map(lines.map((line) => [line.host, line.stdout]));
      return wrongVerdicts(fleet, (target) => verdictBySight((answers.get(target.name) ?? '').replaceAll('\0', ' ')));
    },
  };
}

function clush(fleet: BenchFleet): Contender {
  const ssh = sshOptions(fleet).join(' ');
  return {
    name: 'clush -f 64',
    job: 'show and cat only, no verdict',
    argv: ['clush', '-q', '-f', String(CONCURRENCY), '-l', 'root', '-o', ssh, '--hostfile', fleet.addressesFile, LOOK],
    faults: (measured) => prefixedLines(fleet, measured),
  };
}

function pdsh(fleet: BenchFleet): Contender {
  return {
    name: 'pdsh -f 64',
    job: 'show and cat only, no verdict',
    argv: ['pdsh', '-R', 'ssh', '-f', String(CONCURRENCY), '-l', 'root', '-w', `^${fleet.addressesFile}`, LOOK],
    env: { PDSH_SSH_ARGS_APPEND: sshOptions(fleet).join(' ') },
    faults: (measured) => prefixedLines(fleet, measured),
  };
}

/** Every run begins without open connections, like those of the others; nodes get a Python, which Ansible needs there. */
function ansible(fleet: BenchFleet): Contender {
  const control = join(fleet.dir, 'cm');
  const config = join(fleet.dir, 'ansible.cfg');
  return {
    name: 'Ansible, 50 forks',
    job: 'one shell task and one assert; pipelining, ControlPersist',
    argv: ['ansible-playbook', '-i', fleet.ansibleHostsFile, here('ansible-audit.yaml')],
    env: {
      FLEETMEND_BENCH_LOOK: LOOK,
      ANSIBLE_CONFIG: config, ANSIBLE_HOME: join(fleet.dir, 'ansible'), ANSIBLE_LOCAL_TEMP: join(fleet.dir, 'ansible-tmp'),
      ANSIBLE_FORKS: String(ANSIBLE_FORKS), ANSIBLE_PIPELINING: 'True', ANSIBLE_NOCOLOR: '1',
      ANSIBLE_REMOTE_USER: 'root', ANSIBLE_PRIVATE_KEY_FILE: fleet.lab.keyFile, ANSIBLE_PYTHON_INTERPRETER: '/usr/bin/python3',
      ANSIBLE_SSH_CONTROL_PATH_DIR: control, ANSIBLE_SSH_CONTROL_PATH: `${control}/%%C`,
      ANSIBLE_SSH_ARGS: ['-o ControlMaster=auto -o ControlPersist=60s', ...sshOptions(fleet)].join(' '),
    },
    async prepare() {
      // Empty, so that none of this machine's is read.
      await writeFile(config, '');
      await mkdir(control, { recursive: true, mode: 0o700 });
      const inits = await Promise.all(fleet.targets.map(async ({ name }) => findInit({ dir: join(labDir(PREFIX), 'nodes', name), prefix: PREFIX, name, namespace: '' })));
      const lent = await run(['/usr/bin/python3', here('lend-python.py'), ...inits.map(String)]);
      if (lent.code !== 0) throw new Error(`the nodes could not be lent a Python: ${lent.stderr.trim()}`);
    },
    tidy: async () => endMasters(control),
    faults({ stdout, stderr }) {
      const recap = new Map([...stdout.matchAll(/^(\S+)\s+: (ok=.*)$/gm)].map((match) => [match[1] ?? '', match[2] ?? '']));
      if (recap.size === 0) return [`no recap: ${stderr || stdout.slice(-500)}`];
      const faults = wrongVerdicts(fleet, ({ name }) => verdictOfRecap(recap.get(name) ?? ''));
      return faults.length === 0 ? [] : [...faults.slice(0, 3), /^fatal: .*$/m.exec(stdout)?.[0] ?? ''];
    },
  };
}

function verdictOfRecap(line: string): string {
  if (/^ok=2 .*unreachable=0 +failed=0 /.test(line)) return 'pass';
  return /^ok=1 .*unreachable=0 +failed=1 /.test(line) ? 'fail' : line;
}

async function endMasters(control: string): Promise<void> {
  const ended = runNow(['/bin/sh', '-c', 'for s in "$0"/*; do [ ! -S "$s" ] || ssh -O exit -o ControlPath="$s" any || exit 1; done', control]);
  if (ended.code !== 0) throw new Error(`a connection of Ansible's stays open: ${ended.stderr}`);
  await rm(control, { recursive: true, force: true });
  await mkdir(control, { mode: 0o700 });
}

/** The same algorithms as ssh2 takes, strict host keys, no configuration of this machine. */
function sshOptions(fleet: BenchFleet): string[] {
  const options = {
    KexAlgorithms: 'curve25519-sha256', Ciphers: 'aes128-gcm@openssh.com', HostKeyAlgorithms: 'ssh-ed25519',
    UserKnownHostsFile: fleet.lab.knownHostsFile, GlobalKnownHostsFile: '/dev/null', StrictHostKeyChecking: 'yes',
    IdentityFile: fleet.lab.keyFile, IdentitiesOnly: 'yes', PreferredAuthentications: 'publickey', BatchMode: 'yes',
  };
  return ['-F', '/dev/null', ...Object.entries(options).map(([name, value]) => `-o ${name}=${value}`)];
}

/** `ADDRESS: text`, many lines a node in any order. */
function prefixedLines(fleet: BenchFleet, { code, stdout, stderr }: Measured): string[] {
  if (code !== 0) return [`exit ${code}: ${stderr}`];
  const answers = new Map<string, string>();
  for (const [, address = '', text = ''] of stdout.matchAll(/^(\S+?): ?(.*)$/gm)) answers.set(address, `${answers.get(address) ?? ''}${text}\n`);
  return wrongVerdicts(fleet, ({ address }) => verdictBySight(answers.get(address) ?? ''));
}

/** Enough for the states that these nodes are in. */
function verdictBySight(text: string): string {
  if (!text.startsWith('/usr/bin/kubelet ')) return `no command line: ${text.slice(0, 80)}`;
  return /--streaming-connection-idle-timeout[= ]0/.test(text) ? 'fail' : 'pass';
}

function wrongVerdicts(fleet: BenchFleet, answerOf: (target: BenchFleet['targets'][number]) => string | undefined): string[] {
  return fleet.targets.flatMap((target) => {
    const answer = answerOf(target);
    return answer === target.verdict ? [] : [`${target.name}: ${answer ?? 'no answer'} instead of ${target.verdict}`];
  });
}
