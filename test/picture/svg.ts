/** Text with terminal colours as an SVG picture. Knows only the colours that our output has. */

const COLOURS: Readonly<Record<string, string>> = {
  30: '#45475a', 31: '#f38ba8', 32: '#a6e3a1', 33: '#f9e2af', 34: '#89b4fa', 35: '#cba6f7', 36: '#94e2d5', 37: '#cdd6f4',
  90: '#7f849c', 91: '#f38ba8', 92: '#a6e3a1', 93: '#f9e2af', 94: '#89b4fa', 95: '#cba6f7', 96: '#94e2d5', 97: '#ffffff',
};
const CELL = { width: 8.4, height: 18 };
const MARGIN = 14;

interface Style { colour: string; bold: boolean; dim: boolean }

export function svgOf(lines: readonly string[], columns: number): string {
  const [width, height] = [Math.ceil(columns * CELL.width + 2 * MARGIN), lines.length * CELL.height + 2 * MARGIN];
  const style: Style = { colour: '#cdd6f4', bold: false, dim: false };
  const rows = lines.map((line, index) => `<text x="${MARGIN}" y="${MARGIN + (index + 0.75) * CELL.height}" xml:space="preserve">${spans(line, style)}</text>`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="fleetmend apply in a terminal">`,
    `<rect width="100%" height="100%" rx="8" fill="#1e1e2e"/>`,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">`,
    ...rows, '</g>', '</svg>', '',
  ].join('\n');
}

function spans(line: string, style: Style): string {
  return line.split(/(\u001b\[[0-9;]*m)/u).map((part) => {
    const codes = /^\u001b\[([0-9;]*)m$/u.exec(part);
    if (codes !== null) { restyle(style, codes[1] ?? ''); return ''; }
    if (part === '') return '';
    const weight = style.bold ? ' font-weight="bold"' : '';
    return `<tspan fill="${style.colour}"${weight}${style.dim ? ' opacity="0.6"' : ''}>${escape(part)}</tspan>`;
  }).join('');
}

function restyle(style: Style, codes: string): void {
  for (const code of codes === '' ? ['0'] : codes.split(';')) {
    if (code === '0') Object.assign(style, { colour: '#cdd6f4', bold: false, dim: false });
    else if (code === '1') style.bold = true;
    else if (code === '2') style.dim = true;
    else if (code === '22') Object.assign(style, { bold: false, dim: false });
    else if (code === '39') style.colour = '#cdd6f4';
    else style.colour = COLOURS[code] ?? style.colour;
  }
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
