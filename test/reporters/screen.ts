/** A terminal as far as a live view uses it: what stands on it, and what has scrolled off. Wraps long lines, as terminals do. */
export interface FakeTerminal {
  readonly output: { write(text: string): boolean };
  /** From the first line ever written, without empty lines at the end. */
  lines(): string[];
  /** Only what can be seen now. */
  visible(): string[];
}

export function createFakeTerminal(rows: number, columns: number): FakeTerminal {
  const grid: string[][] = [[]];
  let row = 0;
  let column = 0;
  const top = (): number => Math.max(0, grid.length - rows);
  const put = (char: string): void => {
    if (column === columns) down();
    const line = (grid[row] ??= []);
    while (line.length < column) line.push(' ');
    line[column] = char;
    column += 1;
  };
  const down = (): void => {
    row += 1;
    column = 0;
    if (row === grid.length) grid.push([]);
  };
  const control = (final: string, given: string): void => {
    if (final === 'A') row = Math.max(top(), row - Number(given || 1));
    else if (final === 'G') column = 0;
    else if (final === 'K') grid[row] = given === '2' ? [] : (grid[row] ?? []).slice(0, column);
    else if (final !== 'm' && !given.startsWith('?25')) throw new Error(`a view uses ESC [ ${given}${final}, which this terminal does not know`);
  };
  const write = (text: string): boolean => {
    for (const [part, given = '', final = ''] of text.matchAll(/\u001b\[([0-9;?]*)([A-Za-z])|[\s\S]/gu)) {
      if (final !== '') control(final, given);
      else if (part === '\n') down();
      else if (part === '\r') column = 0;
      else put(part);
    }
    return true;
  };
  const textOf = (lines: readonly string[][]): string[] => {
    const all = lines.map((line) => line.join('').trimEnd());
    while (all.at(-1) === '') all.pop();
    return all;
  };
  return { output: { write }, lines: () => textOf(grid), visible: () => textOf(grid.slice(top())) };
}
