/** What a kubelet reads: its arguments, durations, config files, and the unit files that start it. */
import { toByteText } from '../../src/core/bytes.js';
import { setStringMember } from '../../src/kubelet/config-edit.js';
import { decodeConfig } from '../../src/kubelet/config-file.js';
import { formatDuration, parseDuration } from '../../src/kubelet/duration.js';
import { parseFlags } from '../../src/kubelet/flags.js';
import { predictCommandLine, removeWords } from '../../src/systemd/index.js';
import { parseEnvironmentFile } from '../../src/systemd/environment-file.js';
import type { UnitSources } from '../../src/systemd/index.js';
import type { Target } from './explore.js';

const expectSame = (what: string, got: unknown, wanted: unknown): void => {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) throw new Error(`${what}: ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`);
};

const argv: Target = {
  name: 'arguments of a kubelet',
  sources: ['/src/kubelet/flags.ts'],
  seeds: ['--config=/a\0--v=2\0--streaming-connection-idle-timeout\x004h', '-v\x003\0--\0x', '--fail_swap_on=true\0-h'],
  dictionary: ['\0--', '\0-', '=', '--streaming-connection-idle-timeout', '--streaming_connection_idle_timeout=', '--v', '-v', '\0--\0', '--fail-swap-on', 'true', '4h0m0s'],
  tryInput(input) {
    const words = input.toString('utf8').split('\0');
    const { flags, error } = parseFlags(words);
    for (const { at, words: used } of flags) if (at < 0 || at + used > words.length) throw new Error('a flag outside of the arguments');
    expectSame('flags come in the order of their words', flags.map(({ at }) => at), flags.map(({ at }) => at).sort((a, b) => a - b));
    const ends = new Map(flags.map(({ at, words: used }) => [at, at + used]));
    const starts = [...ends.keys()];
    if (starts.some((at, index) => at < (ends.get(starts[index - 1] ?? -1) ?? 0))) throw new Error('one word in two flags');
    return error === undefined ? 'accepted' : 'refused';
  },
};

const duration: Target = {
  name: 'Go durations',
  sources: ['/src/kubelet/duration.ts'],
  seeds: ['4h0m0s', '0', '-1.5h', '1us', '1µs', '1μs', '.5s', '9223372036854775807ns', '+5m'],
  dictionary: ['h', 'm', 's', 'ms', 'us', 'µs', 'ns', '.', '-', '+', '0', '9223372036854775808', '999999999999999999'],
  tryInput(input) {
    const parsed = parseDuration(input.toString('utf8'));
    if (!parsed.ok) return 'refused';
    if (parsed.ns < -(2n ** 63n) || parsed.ns >= 2n ** 63n) throw new Error('outside of an int64');
    const again = parseDuration(formatDuration(parsed.ns));
    if (!again.ok || again.ns !== parsed.ns) throw new Error(`${formatDuration(parsed.ns)} is not read back`);
    return 'accepted';
  },
};

const KEY = 'streamingConnectionIdleTimeout';

/** Set, it has our value; set again, it stays; whatever else it said, it still says. */
const config: Target = {
  name: 'edits of JSON and YAML',
  sources: ['/src/kubelet/'],
  seeds: [
    '{"kind":"KubeletConfiguration","apiVersion":"kubelet.config.k8s.io/v1beta1","streamingConnectionIdleTimeout":"0s"}',
    'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nstreamingConnectionIdleTimeout: 0s # never\nauthentication:\n  anonymous: {enabled: false}\n',
    '---\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nlist:\n- a\n- |\n  text\n...\n',
  ],
  dictionary: [KEY, ': ', '"', "'", '|\n  ', '>-\n', '&a ', '*a', '<<: ', '!!str ', '? ', '{', '}', '[', ']', '\n- ', '\n\t', '# ', '---\n', '...\n', '\\u0041', '"streamingconnectionidletimeout"', '__proto__', 'null', '~'],
  tryInput(input) {
    const edited = setStringMember(input, KEY, '4h0m0s');
    if (!edited.ok) return 'refused';
    const before = decodeConfig(input);
    const after = decodeConfig(edited.bytes);
    if (!after.ok) throw new Error(`the edit broke the file: ${after.error}`);
    expectSame('the value', after.value[KEY], '4h0m0s');
    if (before.ok) expectSame('the other members', { ...after.value, [KEY]: 0 }, { ...before.value, [KEY]: 0, ...(KEY in before.value ? {} : { [KEY]: 0 }) });
    const again = setStringMember(edited.bytes, KEY, '4h0m0s');
    if (!again.ok || !Buffer.from(again.bytes).equals(Buffer.from(edited.bytes))) throw new Error('a second edit changed it again');
    return 'accepted';
  },
};

/** A service of one text: unit file, NUL, drop-in, NUL, environment file. */
function serviceOf(input: Buffer): UnitSources {
  const [fragment = '', dropIn = '', environment = ''] = toByteText(input).split('\0');
  return {
    unit: 'kubelet.service',
    fragment: { path: '/etc/systemd/system/kubelet.service', text: fragment },
    dropIns: [{ path: '/etc/systemd/system/kubelet.service.d/10.conf', text: dropIn }],
    environmentFiles: new Map([['/etc/default/kubelet', environment]]),
  };
}

const unit: Target = {
  name: 'unit files',
  sources: ['/src/systemd/'],
  seeds: [
    '[Service]\nExecStart=/usr/bin/kubelet --config=/a $ARGS ${MORE}\nEnvironment="ARGS=--a b" MORE=c\n\0[Service]\nEnvironmentFile=-/etc/default/kubelet\nExecStart=\nExecStart=/usr/bin/kubelet $ARGS \\\n  --x\n\0ARGS="--y z"\nB=\'q\'\n',
    '[Unit]\nDescription=%n\n[Service]\nExecStart=-/bin/k "a b" \\x41 %i\n\0\0',
  ],
  dictionary: ['[Service]\n', 'ExecStart=', 'ExecStart=\n', 'Environment=', 'EnvironmentFile=-/etc/default/kubelet\n', '$ARGS', '${ARGS}', '$$', '%n', '%%', '\\\n', '\\x20', '"', "'", ' ; ', 'UnsetEnvironment=ARGS', '--a', '\0'],
  tryInput(input) {
    const sources = serviceOf(input);
    const { words, wouldNotStart, unbounded } = predictCommandLine(sources);
    if (wouldNotStart !== undefined || unbounded !== undefined || words.length < 2) return 'refused';
    const at = 1 + (input.length % (words.length - 1));
    const removed = removeWords(sources, [at]);
    if (!removed.ok) return 'refused';
    const textAfter = (path: string, text: string): string => removed.changes.find((change) => change.path === path)?.after ?? text;
    const rest = predictCommandLine({
      ...sources,
      fragment: { ...sources.fragment, text: textAfter(sources.fragment.path, sources.fragment.text) },
      dropIns: sources.dropIns.map(({ path, text }) => ({ path, text: textAfter(path, text) })),
      environmentFiles: new Map([...sources.environmentFiles].map(([path, text]) => [path, text === undefined ? undefined : textAfter(path, text)])),
    });
    expectSame('the words that stay', rest.words.map(({ value }) => value), words.filter((_, index) => index !== at).map(({ value }) => value));
    return 'accepted';
  },
};

const environmentFile: Target = {
  name: 'environment files',
  sources: ['/src/systemd/environment-file.ts'],
  seeds: ['A=1\nB="x y" \\\n z\n# c\nC=\'q\'\n', 'A = b\r\n;x\nexport D=1'],
  dictionary: ['=', '"', "'", '\\\n', '\\', '#', ';', '\n', 'A', '$A'],
  tryInput(input) {
    parseEnvironmentFile(toByteText(input));
    return 'accepted';
  },
};

export const kubeletTargets: readonly Target[] = [argv, duration, config, unit, environmentFile];
