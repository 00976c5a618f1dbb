/** A process that asks for one secret, for a real pseudo terminal; says what it was given in a form that is no echo. */
import { learnSecrets, withOutlet } from '../../src/cli/outlet.js';
import { readSecret } from '../../src/cli/read-secret.js';
import { failureOf } from '../../src/core/failure.js';

await withOutlet(async () => {
  try {
    const secret = await readSecret('sudo password of ops');
    learnSecrets({ names: [], values: [secret] });
    process.stdout.write(`GIVEN ${Buffer.from(secret).toString('hex')}\n`);
  } catch (thrown) {
    const { kind, summary } = failureOf(thrown);
    process.stdout.write(`FAILED ${kind}: ${summary}\n`);
  }
});
