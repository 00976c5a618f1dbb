/**
 * The floor: connect, log in, run one command, 64 at a time, with nothing around it. ssh2 with fleetmend's own tuned
 * settings (dist/ssh), a strict host key check by one comparison, no error texts, no evidence, no judgement.
 * Plain JavaScript, so that no compiler counts. Prints one JSON line a host; exits 1 when any host gave no answer.
 *
 * usage: node bare-loop.mjs TARGETS.json CONCURRENCY COMMAND
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import ssh2 from 'ssh2';
import { algorithmsFor } from '../../dist/ssh/algorithms.js';
import { ignoreHostKeyAnnouncements } from '../../dist/ssh/ssh2-internals.js';

const [targetsFile, concurrency, command] = process.argv.slice(2);
const { user, keyFile, hosts } = JSON.parse(readFileSync(targetsFile, 'utf8'));
const key = ssh2.utils.parseKey(readFileSync(keyFile));
const algorithms = algorithmsFor(new Set(['ssh-ed25519']));

function ask({ address, port, hostKey }) {
  const expected = Buffer.from(hostKey, 'base64');
  return new Promise((resolve, reject) => {
    const sock = connect({ host: address, port, autoSelectFamily: false });
    sock.setNoDelay(true);
    const client = new ssh2.Client();
    client.on('error', reject);
    client.on('ready', () => {
      client.exec(command, (error, channel) => {
        if (error) return reject(error);
        const chunks = [];
        channel.on('data', (chunk) => chunks.push(chunk));
        channel.stderr.resume();
        channel.on('close', (code) => {
          client.end();
          if (code === 0) resolve(Buffer.concat(chunks).toString('utf8'));
          else reject(new Error(`exit ${code}`));
        });
      });
    });
    const authHandler = [{ type: 'publickey', username: user, key }];
    client.connect({ sock, username: user, algorithms, hostVerifier: (shown) => shown.equals(expected), authHandler, readyTimeout: 30_000 });
    ignoreHostKeyAnnouncements(client);
  });
}

async function work() {
  for (let host = hosts.shift(); host !== undefined; host = hosts.shift()) {
    try {
      process.stdout.write(`${JSON.stringify({ host: host.name, stdout: await ask(host) })}\n`);
    } catch (error) {
      process.exitCode = 1;
      process.stderr.write(`${host.name}: ${error.message}\n`);
    }
  }
}

await Promise.all(Array.from({ length: Number(concurrency) }, work));
