/** Enemies behind a good login: the shell answers what it likes. It knows the nonce, so its frames look like ours. */
import { encodeFrame, upLine } from '../../src/host/wire.js';
import { joinFields } from '../../src/host/words.js';
import type { ServerChannel } from '../../src/ssh/ssh2.js';
import type { Enemy } from './enemy.js';
import { POISON } from './enemy.js';
import { block, pour } from './pour.js';

/** What it says to the first request, each time as soon as something was asked. */
function answering(give: (channel: ServerChannel, nonce: string) => void): NonNullable<Enemy['shell']> {
  return (channel, nonce) => {
    channel.write(`${upLine(nonce)}\n`);
    channel.on('data', (chunk: Buffer) => { if (chunk.includes(` ${nonce}\n`)) give(channel, nonce); });
  };
}

const framed = (...fields: readonly string[]): NonNullable<Enemy['shell']> => answering((channel, nonce) => channel.write(encodeFrame(nonce, 1, joinFields(nonce, fields))));

const leaves = (channel: ServerChannel, code: number): void => {
  channel.exit(code);
  channel.end();
};

export const SHELL_ENEMIES: readonly Enemy[] = [
  { name: 'shell-of-garbage', ends: ['noShell'], shell: (channel) => pour(channel, block(`\u0000\u001b[2J\u00ff${POISON}`)) },
  { name: 'shell-that-says-its-name-for-ever', ends: ['protocol'], shell: (channel, nonce) => pour(channel, block(`${upLine(nonce)}\n`, 66 * 400)) },
  { name: 'errors-of-ten-gigabytes', ends: ['noShell', 'protocol'], shell: (channel) => pour(channel.stderr, block(POISON)) },
  { name: 'errors-beside-a-shell', ends: ['protocol'], shell: (channel, nonce) => { channel.write(`${upLine(nonce)}\n`); pour(channel.stderr, block('x')); } },
  { name: 'noise-of-ten-gigabytes', ends: ['protocol'], shell: answering((channel) => pour(channel, block('noise '))) },
  { name: 'frame-that-claims-ten-gigabytes', ends: ['protocol'], shell: answering((channel, nonce) => { channel.write(`\nfm-begin-${nonce} 1 10737418240\n`); pour(channel, block('QUJD')); }) },
  { name: 'frame-that-claims-a-gigabyte', ends: ['protocol'], shell: answering((channel, nonce) => { channel.write(`\nfm-begin-${nonce} 1 999999999\n`); pour(channel, block('QUJD')); }) },
  { name: 'frame-that-does-not-end', ends: ['protocol'], shell: answering((channel, nonce) => { channel.write(`\nfm-begin-${nonce} 1 16777216\n`); pour(channel, block('QUJD')); }) },
  { name: 'frame-whose-header-does-not-end', ends: ['protocol'], shell: answering((channel, nonce) => channel.write(`\nfm-begin-${nonce} 1${' '.repeat(200)}`)) },
  { name: 'frame-with-a-wrong-digest', ends: ['protocol'], shell: answering((channel, nonce) => channel.write(`\nfm-begin-${nonce} 1 4\nQUJD\nfm-end-${nonce} 1 ${'0'.repeat(64)}  -\n`)) },
  { name: 'frame-without-a-digest', ends: ['protocol'], shell: answering((channel, nonce) => { channel.write(`\nfm-begin-${nonce} 1 4\nQUJD\nfm-end-${nonce} 1 `); pour(channel, block('x')); }) },
  { name: 'frame-with-a-wrong-length', ends: ['protocol'], shell: answering((channel, nonce) => channel.write(`\nfm-begin-${nonce} 1 9\nQUJD\nfm-end-${nonce} 1 ${'0'.repeat(64)}  -\n`)) },
  { name: 'frame-out-of-turn', ends: ['protocol'], shell: answering((channel, nonce) => channel.write(encodeFrame(nonce, 2, Buffer.from('x')))) },
  { name: 'frame-before-the-question', ends: ['protocol'], shell: (channel, nonce) => { channel.write(Buffer.concat([Buffer.from(`${upLine(nonce)}\n`), encodeFrame(nonce, 1, Buffer.from('x')), encodeFrame(nonce, 2, Buffer.from('x'))])); } },
  { name: 'frame-sent-twice', ends: ['protocol'], shell: answering((channel, nonce) => { const frame = encodeFrame(nonce, 1, joinFields(nonce, ['ok'])); channel.write(Buffer.concat([frame, frame])); }) },
  { name: 'answer-that-is-no-field', ends: ['protocol'], shell: answering((channel, nonce) => channel.write(encodeFrame(nonce, 1, Buffer.from(POISON)))) },
  { name: 'answer-of-no-field', ends: ['protocol'], shell: framed() },
  { name: 'answer-of-too-many-fields', ends: ['protocol'], shell: framed(...Array.from({ length: 20_000 }, () => 'ok')) },
  { name: 'answer-with-a-made-up-reason', ends: ['protocol'], shell: framed(`no ${POISON}`, POISON) },
  { name: 'refusal-of-control-codes', ends: ['unknown', 'protocol'], shell: framed('no failed', POISON.repeat(3000)) },
  { name: 'times-that-are-no-numbers', ends: ['protocol'], shell: framed('ok', 'Id=kubelet.service\nActiveState=active\nMainPID=1', 'NaN', '') },
  { name: 'process-that-is-no-number', ends: ['protocol'], shell: framed('ok', 'ActiveState=active', '1', '1e9 0x10 Infinity 1', '/usr/bin/kubelet', '/', '0::/', 'kubelet\0', '0x10') },
  { name: 'shell-that-leaves-at-once', ends: ['noShell'], shell: (channel) => leaves(channel, 0) },
  { name: 'shell-that-leaves-after-its-name', ends: ['protocol'], shell: (channel, nonce) => { channel.write(`${upLine(nonce)}\n`); leaves(channel, 0); } },
  { name: 'shell-that-misses-a-tool-of-control-codes', ends: ['missingTool'], shell: (channel, nonce) => { channel.write(`${upLine(nonce)}\n`); channel.stderr.write(POISON); leaves(channel, 96); } },
  { name: 'channel-closed-without-an-exit', ends: ['noShell', 'connectionLost'], shell: (channel) => channel.close() },
  { name: 'channel-closed-after-its-name', ends: ['connectionLost'], shell: (channel, nonce) => { channel.write(`${upLine(nonce)}\n`); channel.close(); } },
];
