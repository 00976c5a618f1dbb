/** `fleetmend check`: are these playbooks right? Reads files of the controller only. */
import type { CommandModule } from 'yargs';
import { readPlaybook } from '../sources/index.js';
import { CATALOGUE } from './compose.js';
import { print } from './outlet.js';

interface CheckArguments {
  playbooks: string[];
}

export const checkCommand: CommandModule<object, CheckArguments> = {
  command: 'check <playbooks..>',
  describe: 'check playbook files; connects to no host',
  builder: (yargs) => yargs.positional('playbooks', { type: 'string', array: true, demandOption: true, describe: 'playbook files' }) as never,
  handler: async (args) => {
    for (const file of args.playbooks) {
      const playbook = await readPlaybook(file, CATALOGUE, {});
      const { control } = playbook;
      await print(`${file}: ok: ${control.id} ${control.title} (level ${control.level}, ${playbook.steps.length} steps)\n`);
    }
  },
};
