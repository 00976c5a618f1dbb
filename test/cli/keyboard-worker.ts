/** A process with a keyboard, for a real pseudo terminal: says what it was asked and what stands at the prompt. Its one argument: how it ends. */
import { writeFileSync } from 'node:fs';
import { createKeyboard } from '../../src/cli/keyboard.js';

const [ending = 'close'] = process.argv.slice(2);
const keyboard = createKeyboard({ by: 'alice@laptop', prompt: (text) => { process.stdout.write(`PROMPT ${text}\n`); } });
keyboard.on({ event: 'rollout', run: 'r', wave: 1, of: 2, within: 1, withinLater: 10, paused: false, text: '', at: '' });
process.on('SIGINT', () => { process.stdout.write('SIGINT\n'); });
const alive = setInterval(() => undefined, 1_000_000);

function end(): void {
  switch (ending) {
    case 'close':
      keyboard.close();
      clearInterval(alive);
      return;
    case 'throw':
      throw new Error('on purpose');
    case 'exit':
      process.exit(3);
      break;
    case 'terminated':
      process.kill(process.pid, 'SIGTERM');
  }
}

keyboard.listen(({ by, act, answer }) => {
  process.stdout.write(`ACT ${by} ${JSON.stringify(act)}\n`);
  if (act.do === 'stop') end();
  else answer(act.do !== 'pause', 'as you say');
});
if (process.env['PID_FILE'] !== undefined) writeFileSync(process.env['PID_FILE'], String(process.pid));
process.stdout.write('LISTENING\n');
