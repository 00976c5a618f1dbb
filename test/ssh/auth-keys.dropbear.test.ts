/** Many keys and few tries against dropbear, which hangs up without a word. */
import { describe, expect, it } from 'vitest';
import { startAgent } from './agents.js';
import { DROPBEAR_SKIP_REASON, SKIP_WITHOUT_DROPBEAR, startDropbear } from './dropbear.js';
import { scratchForTest } from './lab.js';
import { createPlainTransport } from './plain-transport.js';
import { makeKey } from './scratch.js';

describe.skipIf(SKIP_WITHOUT_DROPBEAR)(`dropbear (skipped when ${DROPBEAR_SKIP_REASON})`, () => {
  it('eight keys in the agent and three tries: the last one lets us in', async () => {
    const scratch = scratchForTest();
    const keys = Array.from({ length: 8 }, () => makeKey());
    const { socket } = await startAgent(scratch, keys.map((key, index) => scratch.write(`key-${index}`, key.privateText)));
    const last = keys.at(-1) ?? makeKey();
    const dropbear = await startDropbear(scratch, { userKey: last, words: ['-T', '3'] });
    try {
      const knownHostsFiles = [scratch.write('known', `[127.0.0.1]:${dropbear.port} ${dropbear.hostKey.publicText}\n`)];
      const transport = createPlainTransport({ hostKeys: 'strict', knownHostsFiles, agentSocket: socket, defaultIdentityFiles: [] });
      const shell = await transport.open(dropbear.host, 'true', new AbortController().signal);
      await shell.close();
      expect(shell.hostKey).toMatch(/^SHA256:/);
    } finally {
      await dropbear.close();
    }
  });
});
