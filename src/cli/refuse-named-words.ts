/** Refuses `audit a --playbook b`: yargs takes the name of a positional word for an option too, and drops one of the two. */
import { FleetmendError } from '../core/failure.js';

/** For yargs' `check`, which hands over what was parsed. `commands`: as they are declared, `show <run> [host]`. Throws FleetmendError (badInput). */
export function refuseNamedWords(argv: readonly string[], commands: readonly string[]): (parsed: { readonly _: readonly (string | number)[] }) => true {
  return (parsed) => {
    const usage = commands.find((command) => command.split(' ')[0] === parsed._[0]) ?? '';
    const names = Array.from(usage.matchAll(/[<[](\w+)(?:\.\.)?[>\]]/g), (match) => match[1] ?? '');
    const options = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : argv.length);
    const named = names.find((name) => options.some((word) => word === `--${name}` || word.startsWith(`--${name}=`)));
    if (named === undefined) return true;
    throw new FleetmendError({ kind: 'badInput', summary: `--${named}: there is no such option; it is said as a word of its own: fleetmend ${usage}` });
  };
}
