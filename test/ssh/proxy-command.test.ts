/** A program as the way to a server: how it is run, what is told of it, and that nothing of it stays behind. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { failureOf } from '../../src/core/failure.js';
import type { Transport } from '../../src/core/ports.js';
import { createJumpTransport, knownLine, startBastion } from './bastion.js';
import { createLab, never } from './lab.js';
import type { Lab } from './lab.js';
import { failureIn, readAll } from './scratch.js';

/** A small `nc HOST PORT`. */
const CONNECT = `const s=require('net').connect(+process.argv[2],process.argv[1]);process.stdin.pipe(s).pipe(process.stdout);s.on('error',(e)=>{process.stderr.write('\\u001b[31mnc: '+e.code+'\\n');process.exit(7)})`;

function connectCommand(lab: Lab, port: number, before = ''): string {
  lab.scratch.write('connect.cjs', CONNECT);
  return `${before}${process.execPath} -e "$(cat ${lab.scratch.path('connect.cjs')})" 127.0.0.1 ${port}`;
}

function transportBy(lab: Lab, proxyCommand: string, environment?: NodeJS.ProcessEnv): Transport {
  return createJumpTransport({
    scratch: lab.scratch, userKey: lab.userKey, known: lab.knownLine(), proxyCommand: () => proxyCommand, ...(environment ? { environment } : {}),
  });
}

async function outputOf(transport: Transport, lab: Lab, command: string): Promise<unknown> {
  const shell = await transport.open(lab.host, command, never);
  shell.stderr.resume();
  return { said: (await readAll(shell.stdout)).toString(), end: await shell.ended };
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

async function whenGone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
}

it('its stdin and stdout are the connection', async () => {
  const lab = await createLab();
  expect(await outputOf(transportBy(lab, connectCommand(lab, lab.server.port)), lab, 'echo out; exit 3')).toEqual({ said: 'out\n', end: { how: 'exit', code: 3 } });
});

it('a shell runs it, with the environment that was given', async () => {
  const lab = await createLab();
  const command = connectCommand(lab, lab.server.port).replace('127.0.0.1', '"$WHERE"');
  expect(await outputOf(transportBy(lab, command, { ...process.env, WHERE: '127.0.0.1' }), lab, 'exit 0')).toMatchObject({ end: { how: 'exit', code: 0 } });
});

it('one that fails is told with its exit code and what it said, without control codes', async () => {
  const lab = await createLab();
  await lab.server.close();
  expect(await failureIn(transportBy(lab, connectCommand(lab, lab.server.port)).open(lab.host, 'true', never))).toMatchObject({
    kind: 'connectTimeout', summary: expect.stringContaining('ended with exit code 7 before the server said anything') as string,
    detail: 'the ProxyCommand said: [31mnc: ECONNREFUSED',
  });
});

it('one that does not exist is told as the shell tells it', async () => {
  const lab = await createLab();
  const failure = await failureIn(transportBy(lab, '/no/such/program').open(lab.host, 'true', never));
  expect(failure).toMatchObject({ kind: 'connectTimeout', summary: expect.stringContaining('exit code 127') as string, detail: expect.stringContaining('/no/such/program') as string });
});

it('one that says nothing ends with the limit of connecting, and so does all that it started', async () => {
  const lab = await createLab();
  const file = lab.scratch.path('pids');
  const command = `/bin/sh -c 'trap "" TERM; sleep 1000 & echo $$ $! > ${file}.new; mv ${file}.new ${file}; wait; wait'`;
  const transport = createJumpTransport({ scratch: lab.scratch, userKey: lab.userKey, known: lab.knownLine(), proxyCommand: () => command });
  const host = { ...lab.host, connectTimeoutMs: 1_000 };
  expect(await failureIn(transport.open(host, 'true', never))).toMatchObject({ kind: 'connectTimeout', summary: expect.stringContaining('ran for 1000 ms before') as string });
  const pids = readFileSync(file, 'utf8').trim().split(' ').map(Number);
  expect(pids).toHaveLength(2);
  await Promise.all(pids.map(whenGone));
});

it('one that closes its output and lives on is told with what it said, not as a trouble of the server', async () => {
  const lab = await createLab();
  const command = `/bin/sh -c 'echo no tunnel for you >&2; exec >&-; exec sleep 1000'`;
  expect(await failureIn(transportBy(lab, command).open(lab.host, 'true', never))).toMatchObject({
    kind: 'connectTimeout', summary: expect.stringContaining('closed its output before the server said anything') as string,
    detail: 'the ProxyCommand said: no tunnel for you',
  });
});

it('floods on its stderr are not kept', async () => {
  const lab = await createLab();
  const command = connectCommand(lab, lab.server.port, `sh -c 'head -c 3000000 /dev/zero >&2'; exec `);
  // `exec a; exec b` would be one program: as with ssh, whoever wants two writes a shell.
  const wrapped = `/bin/sh -c '${command.replaceAll("'", `'\\''`)}'`;
  expect(await outputOf(transportBy(lab, wrapped), lab, 'exit 0')).toMatchObject({ end: { how: 'exit', code: 0 } });
});

/** Of 50 hosts behind a jump host whose way fails for the first `failing` tries: how they end, and how many tries there were. */
async function behindLateBastion(failing: number): Promise<{ readonly ends: readonly string[]; readonly tries: number }> {
  const lab = await createLab();
  const bastion = await startBastion({ authorized: [lab.userKey] });
  try {
    const count = lab.scratch.write('count', '');
    const words = `echo x >> ${count}; if [ $(wc -l < ${count}) -le ${failing} ]; then exit 7; fi; ${connectCommand(lab, bastion.port, 'exec ')}`;
    const transport = createJumpTransport({
      scratch: lab.scratch, userKey: lab.userKey, known: lab.knownLine() + knownLine(bastion.port, bastion.hostKey),
      jumps: () => [{ name: 'bastion-1', port: bastion.port }], proxyCommand: () => `/bin/sh -c '${words.replaceAll("'", `'\\''`)}'`,
    });
    const opened = Array.from({ length: 50 }, () => outputOf(transport, lab, 'exit 0').then(() => 'open', (error: unknown) => failureOf(error).kind));
    return { ends: await Promise.all(opened), tries: readFileSync(count, 'utf8').length / 2 };
  } finally {
    await bastion.close();
  }
}

it('a jump host that is back some seconds after the first try lets every host in, and one more login is all that it costs', async () => {
  expect(await behindLateBastion(3)).toEqual({ ends: Array.from({ length: 50 }, () => 'open'), tries: 4 });
});

it('a jump host that never was there is given up after five tries, whatever hangs on it', async () => {
  expect(await behindLateBastion(1_000)).toEqual({ ends: Array.from({ length: 50 }, () => 'jumpHost'), tries: 5 });
});

it('it is the way to the first jump host, and runs once for all hosts behind that', async () => {
  const lab = await createLab();
  const bastion = await startBastion({ authorized: [lab.userKey] });
  try {
    const count = lab.scratch.write('count', '');
    const transport = createJumpTransport({
      scratch: lab.scratch, userKey: lab.userKey, known: lab.knownLine() + knownLine(bastion.port, bastion.hostKey),
      jumps: () => [{ name: 'bastion-1', port: bastion.port }],
      proxyCommand: () => `/bin/sh -c '${connectCommand(lab, bastion.port, `echo x >> ${count}; exec `).replaceAll("'", `'\\''`)}'`,
    });
    const ends = await Promise.all(Array.from({ length: 5 }, () => outputOf(transport, lab, 'exit 0')));
    expect(ends).toEqual(Array.from({ length: 5 }, () => ({ said: '', end: { how: 'exit', code: 0 } })));
    expect([readFileSync(count, 'utf8'), bastion.connections]).toEqual(['x\n', 1]);
  } finally {
    await bastion.close();
  }
});

it('a process that is done ends at once, although a jump host is still connected, and its ProxyCommand ends with it', async () => {
  const lab = await createLab();
  const bastion = await startBastion({ authorized: [lab.userKey] });
  const pids = lab.scratch.path('pid');
  try {
    const known = lab.knownLine() + knownLine(bastion.port, bastion.hostKey);
    const proxy = `/bin/sh -c 'echo $$ > ${pids}; ${connectCommand(lab, bastion.port, 'exec ').replaceAll("'", `'\\''`)}'`;
    const program = `
      import { createJumpTransport } from './test/ssh/bastion.ts';
      import { readFileSync, mkdtempSync, writeFileSync } from 'node:fs';
      const facts = JSON.parse(readFileSync(0, 'utf8'));
      const scratch = { path: (name) => facts.directory + '/' + name, write: (name, text) => { writeFileSync(scratch.path('child-' + name), text, { mode: 0o600 }); return scratch.path('child-' + name); } };
      const transport = createJumpTransport({ scratch, userKey: facts.userKey, known: facts.known, jumps: () => [{ name: 'bastion-1', port: facts.port }], proxyCommand: () => facts.proxy });
      const shell = await transport.open(facts.host, 'exit 5', new AbortController().signal);
      shell.stdout.resume(); shell.stderr.resume();
      console.log(JSON.stringify(await shell.ended));
    `;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'], timeout: 50_000 });
    const { privateText, publicText } = lab.userKey;
    child.stdin.end(JSON.stringify({ directory: lab.scratch.directory, userKey: { privateText, publicText }, known, port: bastion.port, proxy, host: lab.host }));
    const [said, code] = await Promise.all([readAll(child.stdout), new Promise((resolve) => child.once('exit', resolve))]);
    expect([said.toString().trim(), code]).toEqual(['{"how":"exit","code":5}', 0]);
    await whenGone(Number(readFileSync(pids, 'utf8')));
  } finally {
    await bastion.close();
  }
});

it('one that this process has no room for is the failure of its host, not the end of the process', () => {
  const program = `
    import { openSync, closeSync } from 'node:fs';
    import { createCommandDialer } from './src/ssh/proxy-command.ts';
    const dial = createCommandDialer(process.env);
    const outcome = () => dial('cat', { address: '127.0.0.1', port: 1 }, new AbortController().signal).then((link) => { link.socket.destroy(); return 'dialled'; }, (error) => error.failure?.summary ?? String(error));
    const outcomes = [await outcome()];
    const taken = [];
    try { for (;;) taken.push(openSync('/dev/null')); } catch { outcomes.push(await outcome()); }
    for (const fd of taken) closeSync(fd);
    outcomes.push(await outcome());
    process.stdout.write(JSON.stringify(outcomes));
  `;
  const ran = spawnSync('/bin/sh', ['-c', 'ulimit -n 120; exec "$@"', 'sh', process.execPath, '--import', 'tsx', '--input-type=module', '-e', program], { encoding: 'utf8', timeout: 30_000 });
  expect([ran.status, ran.stderr]).toEqual([0, '']);
  expect(JSON.parse(ran.stdout)).toEqual(['dialled', expect.stringContaining('could not be started (EMFILE)'), 'dialled']);
});
