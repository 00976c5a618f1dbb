/** A real node as the host session's contract wants it: reached over real SSH, arranged from inside. */
import { PassThrough } from 'node:stream';
import type { Host } from '../../src/core/host.js';
import type { ShellEnd, ShellStream, Transport } from '../../src/core/ports.js';
import { createConnector } from '../../src/host/connector.js';
import { createPlainTransport } from '../ssh/plain-transport.js';
import type { LookedAt, NodeUnderTest } from '../contracts/node-under-test.js';
import { quote } from '../lab/command.js';
import type { Lab, LabNode } from '../lab/lab.js';

const ROOT = '/srv/contract';
const STATE = '/var/lib/fleetmend';
const UNITS = '/etc/systemd/system';

export async function asNodeUnderTest(lab: Lab, node: LabNode, user: 'root' | 'ops'): Promise<NodeUnderTest> {
  const cutting = createCut(createPlainTransport({ hostKeys: 'strict', knownHostsFiles: [lab.knownHostsFile], defaultIdentityFiles: [lab.keyFile] }));
  const must = async (command: string): Promise<string> => node.mustExec(command);
  await must(`rm -rf ${ROOT} ${STATE}; mkdir -p ${ROOT}`);
  const host: Host = {
    name: node.name, address: node.address, port: node.port, user, become: user === 'root' ? 'none' : 'sudo', connectTimeoutMs: 10_000, labels: {},
  };
  return {
    connector: createConnector(cutting.transport),
    host,
    root: ROOT,
    unit: 'kubelet.service',
    healthUrl: 'http://127.0.0.1:10248/healthz',
    async put(path, content, { mode = 0o644, modifiedAt } = {}) {
      const target = quote(path);
      const time = modifiedAt === undefined ? '' : `; touch -d @${modifiedAt} -- ${target}`;
      const result = await node.exec(`set -e; mkdir -p -- ${quote(parentOf(path))}; cat >${target}; chmod ${mode.toString(8)} -- ${target}${time}`, { stdin: content });
      if (result.code !== 0) throw new Error(`put ${path}: ${result.stderr}`);
    },
    makeDirectory: async (path) => void (await must(`mkdir -p -- ${quote(path)}`)),
    link: async (path, target) => void (await must(`ln -s -- ${quote(target)} ${quote(path)}`)),
    look: async (path) => look(node, path),
    async names(directory) {
      const listing = await must(`cd -- ${quote(directory)} && find . -mindepth 1 -maxdepth 1 -printf '%f\\0'`);
      return listing.split('\0').slice(0, -1).sort();
    },
    async close() {
      await must(`systemctl stop 'fleetmend-guard-*.timer'; rm -rf ${ROOT} ${STATE} ${UNITS}/fleetmend-boot-* ${UNITS}/multi-user.target.wants/fleetmend-boot-*`);
    },
    silence: async (ms) => void (await must(`cd ${STATE} && at=@$(($(date +%s) - ${Math.ceil(ms / 1000)}))
      for one in lock/beat lock/holder lock broken-*; do [ ! -e "$one" ] || touch -d "$at" "$one" || exit; done`)),
    async fireGuard(run, when) {
      if (when === 'boot') {
        await node.powerCut();
        await node.boot();
        // sshd does not wait for the guard.
        await must('timeout 60 systemctl is-system-running --wait || :');
        return;
      }
      const unit = `fleetmend-guard-${run}`;
      // Without its timer (the guard was disarmed, or has fired) as a late one would come.
      await must(`systemctl start ${unit}.service 2>/dev/null || systemd-run --quiet --wait --unit=${unit} /bin/sh ${STATE}/${run}/guard/script timer
        while systemctl is-active --quiet ${unit}.service; do sleep 0.1; done`);
    },
    async breakSystemdRun() {
      await must('mount --bind /bin/false /usr/bin/systemd-run');
      return async () => void (await must('umount /usr/bin/systemd-run'));
    },
    age: async (path, modifiedAt) => void (await must(`touch -d @${modifiedAt} -- ${quote(path)}`)),
    hardLink: async (path, target) => void (await must(`ln -- ${quote(target)} ${quote(path)}`)),
    async makeImmutable(path) {
      await must(`chattr +i -- ${quote(path)}`);
      return async () => void (await must(`chattr -i -- ${quote(path)}`));
    },
    async makeReadOnly(directory) {
      const place = quote(directory);
      await must(`mount --bind ${place} ${place} && mount -o remount,ro,bind ${place}`);
      return async () => void (await must(`umount ${place}`));
    },
    async fill(directory) {
      const place = quote(directory);
      await must(`set -e; cp -a ${place} /srv/aside; mount -t tmpfs -o size=64k tmpfs ${place}; cp -a /srv/aside/. ${place}; rm -r /srv/aside
        dd if=/dev/zero of=${place}/filler bs=4k count=12 2>/dev/null || :`);
      return async () => void (await must(`umount ${place}`));
    },
    cutNextAnswer: cutting.cutNextAnswer,
  };
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

async function look(node: LabNode, path: string): Promise<LookedAt | undefined> {
  const target = quote(path);
  const { code, stdout } = await node.exec(`stat -c '%F|%a|%u|%g|%Y' -- ${target} && if [ -f ${target} ] && [ ! -L ${target} ]; then base64 -w0 <${target}; fi`);
  if (code !== 0) return undefined;
  const [facts = '', content = ''] = stdout.split('\n');
  const [type = '', mode = '', uid, gid, modifiedAt] = facts.split('|');
  const kind = type === 'symbolic link' ? 'link' : type === 'directory' ? 'directory' : 'file';
  return { kind, bytes: new Uint8Array(Buffer.from(content, 'base64')), mode: Number.parseInt(mode, 8), uid: Number(uid), gid: Number(gid), modifiedAt: Number(modifiedAt) };
}

interface Cut {
  readonly transport: Transport;
  cutNextAnswer(): void;
}

/** Once armed: the next request still reaches the node, and the connection ends before anything of its answer arrives. */
function createCut(real: Transport): Cut {
  let armed = false;
  return {
    cutNextAnswer: () => { armed = true; },
    transport: {
      async open(host, command, signal) {
        const stream = await real.open(host, command, signal);
        if (!armed) return stream;
        armed = false;
        return cutOnAnswer(stream);
      },
    },
  };
}

function cutOnAnswer(stream: ShellStream): ShellStream {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  let asked = false;
  let lose: (end: ShellEnd) => void = () => undefined;
  const lost = new Promise<ShellEnd>((resolve) => { lose = resolve; });
  stdin.on('data', (chunk: Buffer) => {
    // A session may ask something of its own first: only an effect's answer is lost.
    asked ||= / (edit|restore) /.test(chunk.toString());
    stream.stdin.write(chunk);
  });
  stream.stdout.on('data', (chunk: Buffer) => {
    if (!asked) {
      stdout.write(chunk);
      return;
    }
    stdout.end();
    lose({ how: 'lost' });
    void stream.close();
  });
  return { ...stream, stdin, stdout, ended: Promise.race([lost, stream.ended]), close: () => stream.close() };
}
