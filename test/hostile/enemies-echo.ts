/** Enemies that know the password of their login, or of sudo, and repeat it wherever a text of theirs may be quoted. */
import type { AuthContext, Connection, ServerChannel } from '../../src/ssh/ssh2.js';
import { GO_LINE, promptText, ROOT_LINE } from '../../src/host/start-command.js';
import { upLine } from '../../src/host/wire.js';
import type { Enemy } from './enemy.js';
import { byte, message, MESSAGE, sendPacket, text, uint32 } from './raw-packets.js';

export const ECHOED_VARIABLE = 'FM_TEST_ECHOED';

type Shell = NonNullable<Enemy['shell']>;
type Asked = (context: AuthContext, connection: Connection) => void;

/** What is asked of the password is `asked`; everything else is refused. */
const byPassword = (asked: Asked): NonNullable<Enemy['ssh']> => ({
  onAuthentication: (context, connection) => (context.method === 'password' ? asked(context, connection) : context.reject(['password'])),
});
const letIn = byPassword((context) => context.accept());
const disconnect = (connection: Connection, said: string): void => sendPacket(connection, message(MESSAGE.disconnect, uint32(2), text(said), text('')));
const leave = (channel: ServerChannel, code: number): void => {
  channel.exit(code);
  channel.end();
};
/** Once `awaited` came. */
const after = (channel: ServerChannel, awaited: string, act: () => void): void => {
  let heard = '';
  channel.on('data', (chunk: Buffer) => {
    if (heard.includes(awaited)) return;
    heard += chunk.toString();
    if (heard.includes(awaited)) act();
  });
};
const prompting = (said: string): NonNullable<Enemy['ssh']> => ({
  onAuthentication: (context) => {
    if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
    context.prompt([{ prompt: 'Password: ', echo: false }], () => context.prompt([{ prompt: said, echo: false }], () => context.reject()));
  },
});

/** `said`: what they say; the password is in it, perhaps many times. */
export function echoEnemies(secret: string, said: string, tag: string): readonly Enemy[] {
  const shells: Readonly<Record<string, Shell>> = {
    'goodbye-in-the-shell': (_channel, _nonce, connection) => disconnect(connection, said),
    'noise-for-a-shell': (channel) => { channel.write(said); channel.stderr.write(said); leave(channel, 1); },
    'error-before-an-answer': (channel, nonce) => { channel.write(`${upLine(nonce)}\n`); channel.stderr.write(said); leave(channel, 1); },
    'missing-tool': (channel, nonce) => { channel.write(`${upLine(nonce)}\n`); channel.stderr.write(said); leave(channel, 96); },
    'end-by-a-signal': (channel, _nonce, connection) => {
      sendPacket(connection, message(MESSAGE.channelRequest, uint32(0), text('exit-signal'), byte(0), text(said), byte(0), text(''), text('')));
      channel.end();
    },
  };
  const roots: Readonly<Record<string, Shell>> = {
    'sudo-that-refuses': (channel, nonce) => {
      channel.write(`${upLine(nonce)}\n`);
      after(channel, GO_LINE, () => channel.stderr.write(promptText(nonce)));
      after(channel, secret, () => { channel.stderr.write(said); leave(channel, 1); });
    },
    'root-that-leaves': (channel, nonce) => {
      channel.write(`${upLine(nonce)}\n`);
      after(channel, GO_LINE, () => channel.stderr.write(promptText(nonce)));
      after(channel, secret, () => channel.write(ROOT_LINE));
      after(channel, ` ${nonce}\n`, () => { channel.stderr.write(said); leave(channel, 1); });
    },
  };
  const entry = (name: string): string => `, user: ${name}, ssh: { passwordEnv: ${ECHOED_VARIABLE} }`;
  const enemies: readonly (Omit<Enemy, 'ends'>)[] = [
    { name: 'banner', ssh: byPassword((context, connection) => { sendPacket(connection, message(MESSAGE.authBanner, text(said), text('en'))); context.reject(['password']); }) },
    { name: 'methods', ssh: { onAuthentication: (_context, connection) => sendPacket(connection, message(MESSAGE.authFailure, text(said), byte(0))) } },
    { name: 'prompt', ssh: prompting(said) },
    { name: 'goodbye', ssh: { onAuthentication: (_context, connection) => disconnect(connection, said) } },
    { name: 'channel', ssh: { ...letIn, onSession: (_accept, _reject, connection) => sendPacket(connection, message(MESSAGE.channelOpenFailure, uint32(0), uint32(1), text(said), text(''))) } },
    ...Object.entries(shells).map(([name, shell]) => ({ name, shell, ssh: letIn })),
    { name: 'refused-answers', ssh: letIn, lie: (query) => ({ ok: false, ask: query.ask, reason: query.ask === 'file' ? 'denied' : 'failed', detail: said }) as never },
  ];
  const tagged = ({ name, ...enemy }: Omit<Enemy, 'ends'>): Enemy => ({ ...enemy, name: `${name}-${tag}`, ends: [], entry: entry(`${name}-${tag}`) });
  const becoming = `, become: { method: sudo, passwordEnv: ${ECHOED_VARIABLE} }`;
  return [
    ...enemies.map(tagged),
    ...Object.entries(roots).map(([name, shell]) => ({ name: `${name}-${tag}`, ends: [], entry: `${entry(name)}${becoming}`, ssh: letIn, shell })),
  ];
}
