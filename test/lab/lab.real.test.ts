/** The lab's own promises: what other tests build on. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AILMENT_NAMES, AILMENTS } from './ailments.js';
import { arrange, arrangeAll, runningTimeout } from './arrange.js';
import { greets } from './banner.js';
import { createLab } from './lab.js';
import type { Lab, LabNode } from './lab.js';
import { labDir } from './paths.js';

const PREFIX = 'fml';
const SUBNET = '10.81.0.0/16';
const run = promisify(execFile);

function traces(): string[] {
  const links = readdirSync('/sys/class/net').filter((name) => name.startsWith(`${PREFIX}-`));
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n').filter((line) => line.includes(labDir(PREFIX)));
  const spaces = readdirSync('/run/netns').filter((name) => name.startsWith(`${PREFIX}-`));
  return [...links, ...mounts, ...spaces];
}

async function ssh(lab: Lab, node: LabNode, user: string, command: string): Promise<string> {
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=yes', `UserKnownHostsFile=${lab.knownHostsFile}`, 'GlobalKnownHostsFile=/dev/null', 'ConnectTimeout=5', 'IdentitiesOnly=yes'];
  const words = ['-F', '/dev/null', '-i', lab.keyFile, ...options.flatMap((option) => ['-o', option]), `${user}@${node.address}`, command];
  return (await run('ssh', words)).stdout.trim();
}

/** A value as the kubelet itself tells it, or nothing when it does not answer. */
async function health(node: LabNode): Promise<string> {
  return (await node.exec('timeout 2 busybox wget -q -O - http://127.0.0.1:10248/healthz 2>&1')).stdout;
}

describe('a lab of three nodes', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await createLab({ prefix: PREFIX, subnet: SUBNET, nodes: ['good', 'bad', 'worse'] });
    await arrange(lab.node('good'), 'compliant-by-absence');
    await arrange(lab.node('bad'), 'flag-dropin');
    await arrange(lab.node('worse'), 'refuses-new-config');
  });

  afterAll(async () => {
    await lab.destroy();
  });

  it('gives every node its own kubelet on its own loopback', async () => {
    expect(await Promise.all(lab.nodes.map(runningTimeout))).toEqual(['4h0m0s', '0s', '0s']);
    expect(await health(lab.node('bad'))).toBe('ok');
  });

  it('gives every node its own processes, host name and machine id', async () => {
    const facts = await Promise.all(lab.nodes.map((node) => node.mustExec('hostname; cat /etc/machine-id; pgrep -c -x kubelet')));
    expect(new Set(facts).size).toBe(3);
    expect(facts.map((fact) => fact.trim().split('\n').at(-1))).toEqual(['1', '1', '1']);
  });

  it('lets every user in over SSH, each node with its own host key', async () => {
    for (const node of lab.nodes) expect(await ssh(lab, node, 'root', 'hostname')).toBe(node.name);
    expect(new Set(lab.nodes.map((node) => node.hostKey)).size).toBe(3);
    for (const user of ['ops', 'guest', 'nosudo']) expect(await ssh(lab, lab.node('good'), user, 'id -un')).toBe(user);
  });

  it('has a user who becomes root freely, one who must give a password, and one who may not', async () => {
    const node = lab.node('good');
    expect(await ssh(lab, node, 'ops', 'sudo -n id -u')).toBe('0');
    await expect(ssh(lab, node, 'guest', 'sudo -n id -u')).rejects.toThrow(/password is required/);
    expect(await ssh(lab, node, 'guest', 'echo guest | sudo -S -p "" id -u')).toBe('0');
    await expect(ssh(lab, node, 'nosudo', 'sudo -n id -u')).rejects.toThrow(/password is required|not allowed/);
  });

  it('has a kubelet that is well with the old configuration and refuses the new one', async () => {
    const node = lab.node('worse');
    expect(await health(node)).toBe('ok');
    const result = await node.exec(`sed -i 's/ --streaming-connection-idle-timeout=0//' /etc/systemd/system/kubelet.service.d/10-kubelet-args.conf
      systemctl daemon-reload; systemctl restart kubelet; echo "restart $?"; i=0
      while systemctl is-active -q kubelet && [ $i -lt 100 ]; do i=$((i+1)); sleep 0.1; done; systemctl show -P ExecMainStatus kubelet`);
    expect(result.stdout).toBe('restart 0\n1\n');
    expect(await health(node)).toContain('refused');
  });

  it('reads and writes files of a node as bytes', async () => {
    const content = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    await lab.node('good').writeFile({ path: '/opt/it is/here', content, mode: 0o640 });
    expect(Uint8Array.from(await lab.node('good').readFile('/opt/it is/here'))).toEqual(content);
    expect(await lab.node('good').mustExec("stat -c %a '/opt/it is/here'")).toBe('640\n');
  });

  it('cuts a link without a word to either side, and gives it back', async () => {
    const node = lab.node('good');
    await node.cutLink();
    expect(await greets(node.address, node.port, 500)).toBe(false);
    expect((await node.exec('true')).code).toBe(0);
    await node.restoreLink();
    await node.boot();
    expect(await greets(node.address, node.port, 5_000)).toBe(true);
  });

  it('keeps files and host key over a power cut, and starts the kubelet again', async () => {
    const node = lab.node('bad');
    await node.writeFile({ path: '/root/kept', content: 'kept\n' });
    const before = await node.mustExec('cat /proc/1/stat | cut -d" " -f22');
    await node.powerCut();
    await expect(node.exec('true')).rejects.toThrow('the power is off');
    expect(await greets(node.address, node.port, 500)).toBe(false);
    await node.boot();
    expect((await node.readFile('/root/kept')).toString()).toBe('kept\n');
    expect(await node.mustExec('cat /proc/1/stat | cut -d" " -f22')).not.toBe(before);
    expect(await ssh(lab, node, 'root', 'i=0; until systemctl is-active kubelet || [ $i -gt 100 ]; do i=$((i+1)); sleep 0.1; done')).toContain('active');
    expect(await runningTimeout(node)).toBe('0s');
  });

  it('shuts a node down in order, and starts it again', async () => {
    const node = lab.node('bad');
    await node.exec(`mkdir -p /run/systemd/system/kubelet.service.d
      printf '[Service]\\nExecStopPost=/usr/bin/touch /root/stopped\\n' >/run/systemd/system/kubelet.service.d/90-stop.conf; systemctl daemon-reload`);
    await node.powerOff();
    await node.boot();
    expect((await node.exec('test -e /root/stopped')).code).toBe(0);
  });

  it('is not given twice to two owners', async () => {
    await expect(createLab({ prefix: PREFIX, subnet: SUBNET, nodes: 1 })).rejects.toThrow('in use by another process');
    expect(await runningTimeout(lab.node('good'))).toBe('4h0m0s');
  });
});

describe('the end of a lab', () => {
  it('leaves nothing, whatever its nodes were doing', async () => {
    const lab = await createLab({ prefix: PREFIX, subnet: SUBNET, nodes: ['one', 'two'] });
    await arrange(lab.node('one'), 'immutable-config');
    await lab.node('two').powerCut();
    expect(traces()).not.toEqual([]);
    await lab.destroy();
    expect(traces()).toEqual([]);
  });

  it('comes for a lab whose process was killed, with the next lab of its prefix', async () => {
    const script = `
      const { createLab } = await import(${JSON.stringify(new URL('lab.ts', import.meta.url).href)});
      await createLab({ prefix: '${PREFIX}', subnet: '${SUBNET}', nodes: ['orphan'] });
      process.kill(process.pid, 'SIGKILL');`;
    await expect(run(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script])).rejects.toMatchObject({ signal: 'SIGKILL' });
    expect(traces()).not.toEqual([]);
    const lab = await createLab({ prefix: PREFIX, subnet: SUBNET, nodes: ['heir'] });
    expect(traces().filter((trace) => trace.includes('orphan'))).toEqual([]);
    await lab.destroy();
    expect(traces()).toEqual([]);
  });

  it('comes by itself when its process ends without a word', async () => {
    const script = `
      const { createLab } = await import(${JSON.stringify(new URL('lab.ts', import.meta.url).href)});
      await createLab({ prefix: '${PREFIX}', subnet: '${SUBNET}', nodes: 1 });
      process.kill(process.pid, 'SIGTERM');
      setInterval(() => undefined, 1000);`;
    await expect(run(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script])).rejects.toMatchObject({ signal: 'SIGTERM' });
    expect(traces()).toEqual([]);
  });
});

describe('ailments', () => {
  it('each bring a real kubelet into the state that they name', async () => {
    const lab = await createLab({ prefix: PREFIX, subnet: SUBNET, nodes: AILMENT_NAMES });
    try {
      await arrangeAll(lab.nodes, AILMENT_NAMES);
      const wanted = AILMENT_NAMES.map((name) => [name, 'effective' in AILMENTS[name].expected ? AILMENTS[name].expected.effective : 'no answer']);
      const found = await Promise.all(AILMENT_NAMES.map(async (name) => [name, await runningTimeout(lab.node(name)).catch(() => 'no answer')]));
      expect(found).toEqual(wanted);
    } finally {
      await lab.destroy();
    }
  });
});
