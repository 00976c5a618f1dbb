/**
 * Writes src/host/shell/NAME.sh.ts from src/host/shell/NAME.sh, so that the package carries the text
 * as a constant. Run after a change of a shell file: node --import tsx test/host/embed-shell.ts
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../src/host/shell/', import.meta.url));

export interface EmbeddedShell {
  readonly name: string;
  readonly shellText: string;
  readonly modulePath: string;
  readonly moduleText: string;
}

export function embedShell(): EmbeddedShell[] {
  return readdirSync(FOLDER).filter((file) => file.endsWith('.sh')).sort().map((file) => {
    const name = file.slice(0, -3);
    const shellText = readFileSync(`${FOLDER}${file}`, 'utf8');
    const lines = shellText.trimEnd().split('\n').map((line) => `  ${JSON.stringify(line)},\n`).join('');
    const moduleText = `/** The text of ${file}, which is the file to edit: test/host/embed-shell.ts writes this one. */\nexport const ${name.toUpperCase()}_SH = [\n${lines}  '',\n].join('\\n');\n`;
    return { name, shellText, modulePath: `${FOLDER}${file}.ts`, moduleText };
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { modulePath, moduleText } of embedShell()) writeFileSync(modulePath, moduleText);
}
