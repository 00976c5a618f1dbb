/**
 * Chooses hosts by a target expression (`--limit`). Pure; the order of the hosts stays that of the inventory.
 * Never returns an empty choice: an expression that selects nothing is a failure that names the term to blame.
 *
 *     expression = term *( "," term )          a host must satisfy every term
 *     term       = [ "!" ] test                "!": the host must NOT satisfy the test
 *     test       = glob                        the host's name
 *                | key "=" glob                the host has the label, and its value matches (`pool=*`: has the label)
 *     glob       = 1*( "*" | "?" | "[" [ "!" ] 1*character "]" | character )
 *     key        = 1*character
 *
 * A character is anything but blank, control code, and `, ! = * ? [ ]`. Blanks around a term are ignored. A glob matches
 * the whole name or value; upper and lower case differ. Every host carries the label `group`. `pool=a,!node-003` is: in
 * pool a and not node-003. Only exclusions: all hosts but those. An excluded plain name must exist, for a slip there would
 * touch the host that was to be spared; an excluded glob or label may match nothing.
 */
import { type Failure, FleetmendError } from './failure.js';
import { type Glob, hasWildcard, matchGlob, parseGlob } from './glob.js';
import type { Host } from './host.js';
import { badInput, formatInputError, quoteText, suggestWord } from './input-error.js';

type Selection = { readonly ok: true; readonly hosts: readonly Host[] } | { readonly ok: false; readonly failure: Failure };

interface Term {
  readonly text: string;
  readonly excludes: boolean;
  /** Absent: the test is of the name. */
  readonly label?: string;
  readonly glob: Glob;
}

type ParsedTerm = { readonly ok: true; readonly term: Term } | { readonly ok: false; readonly offset: number; readonly expected: string; readonly got: string };

const MAX_EXPRESSION_CHARACTERS = 10_000;

/**
 * Several expressions (`--limit` given several times): a host is chosen when any of them chooses it, and each must select
 * at least one host. An empty list chooses all. Throws FleetmendError (badInput).
 */
export function selectHosts(hosts: readonly Host[], expressions: string | readonly string[]): Host[] {
  const list = typeof expressions === 'string' ? [expressions] : expressions;
  if (list.length === 0) return [...hosts];
  const chosen = new Set<Host>();
  for (const expression of list) {
    const selection = selectByExpression(hosts, expression);
    if (!selection.ok) throw new FleetmendError(selection.failure);
    for (const host of selection.hosts) chosen.add(host);
  }
  return hosts.filter((host) => chosen.has(host));
}

function selectByExpression(hosts: readonly Host[], expression: string): Selection {
  const parsed = parseExpression(expression);
  return parsed.ok ? applyTerms(hosts, expression, parsed.terms) : parsed;
}

function parseExpression(expression: string): { readonly ok: true; readonly terms: readonly Term[] } | { readonly ok: false; readonly failure: Failure } {
  if (expression.length > MAX_EXPRESSION_CHARACTERS) {
    return refuse(`--limit: expected at most ${MAX_EXPRESSION_CHARACTERS} characters, got ${expression.length}`);
  }
  const terms: Term[] = [];
  let start = 0;
  for (const piece of expression.split(',')) {
    const parsed = parseTerm(piece);
    if (!parsed.ok) {
      const place = `--limit ${quoteText(expression)}: character ${start + parsed.offset + 1}`;
      return { ok: false, failure: badInput([{ file: place, path: '', expected: parsed.expected, got: parsed.got }]).failure };
    }
    terms.push(parsed.term);
    start += piece.length + 1;
  }
  return { ok: true, terms };
}

function parseTerm(piece: string): ParsedTerm {
  const text = piece.trim();
  const indent = piece.length - piece.trimStart().length;
  if (text === '') return { ok: false, offset: 0, expected: 'a host name, a glob or a label such as pool=a', got: 'nothing' };
  const excludes = text.startsWith('!');
  const bodyAt = excludes ? 1 : 0;
  const body = text.slice(bodyAt);
  const equals = body.indexOf('=');
  const globAt = bodyAt + equals + 1;
  const globText = body.slice(equals + 1);
  const fault = strayCharacter(body, equals);
  if (fault !== undefined) return { ok: false, ...fault, offset: indent + bodyAt + fault.offset };
  if (globText === '') {
    const expected = equals < 0 ? 'a host name, a glob or a label after the !' : 'a value after the =';
    return { ok: false, offset: indent + globAt, expected, got: 'nothing' };
  }
  const parsed = parseGlob(globText);
  if (!parsed.ok) return { ok: false, offset: indent + globAt + parsed.offset, expected: parsed.expected, got: quoteText(globText.slice(parsed.offset)) };
  return { ok: true, term: { text, excludes, ...(equals < 0 ? {} : { label: body.slice(0, equals) }), glob: parsed.glob } };
}

/** The first character that may not stand where it does. */
function strayCharacter(body: string, equals: number): { offset: number; expected: string; got: string } | undefined {
  if (equals === 0) return { offset: 0, expected: 'a label name before the =', got: 'nothing' };
  for (let at = 0; at < body.length; at++) {
    const character = body.charAt(at);
    const got = quoteText(character);
    if (/[\s\p{Cc}]/u.test(character)) return { offset: at, expected: 'a comma between terms and no blanks inside one', got };
    if (character === '=' && at !== equals) return { offset: at, expected: 'one = in a term', got };
    if (character === '!' && body.charAt(at - 1) !== '[') return { offset: at, expected: 'a single ! at the start of a term', got };
    if (at < equals && /[*?[\]]/u.test(character)) return { offset: at, expected: 'a plain label name before the =', got };
  }
  return undefined;
}

function applyTerms(hosts: readonly Host[], expression: string, terms: readonly Term[]): Selection {
  const counts = terms.map((term) => hosts.filter((host) => passesTest(host, term)).length);
  for (const [index, term] of terms.entries()) {
    const plainName = term.label === undefined && !hasWildcard(term.glob);
    if (counts[index] === 0 && (!term.excludes || plainName)) return refuse(describeMiss(hosts, expression, term));
  }
  const chosen = hosts.filter((host) => terms.every((term) => passesTest(host, term) !== term.excludes));
  if (chosen.length > 0) return { ok: true, hosts: chosen };
  const listed = terms.map((term, index) => `${quoteText(term.text)} ${term.excludes ? 'takes away' : 'matches'} ${counts[index] ?? 0}`);
  const why = terms.length === 1 ? '' : `, but together they leave none: , means "and"; for "or" repeat --limit`;
  return refuse(`--limit ${quoteText(expression)} selects no host: of ${hosts.length}, ${listed.join(', ')}${why}`);
}

function passesTest(host: Host, term: Term): boolean {
  if (term.label === undefined) return matchGlob(term.glob, host.name);
  const value = Object.hasOwn(host.labels, term.label) ? host.labels[term.label] : undefined;
  return value !== undefined && matchGlob(term.glob, value);
}

function describeMiss(hosts: readonly Host[], expression: string, term: Term): string {
  const where = formatInputError({ file: `--limit ${quoteText(expression)}`, path: '', expected: `${quoteText(term.text)} to match a host` });
  const body = term.excludes ? term.text.slice(1) : term.text;
  if (term.label !== undefined) {
    const known = [...new Set(hosts.flatMap((host) => Object.keys(host.labels)))];
    const missing = !known.includes(term.label);
    return `${where}; no host ${missing ? `has a label ${quoteText(term.label)}${suggestWord(term.label, known)}` : 'has that value'}`;
  }
  if (hosts.some((host) => host.labels['group'] === body)) return `${where}; it is a group: write ${quoteText(`${term.excludes ? '!' : ''}group=${body}`)}`;
  const names = hosts.map((host) => host.name);
  return `${where}; no host has that name${hasWildcard(term.glob) ? '' : suggestWord(body, names)}`;
}

function refuse(summary: string): { readonly ok: false; readonly failure: Failure } {
  return { ok: false, failure: { kind: 'badInput', summary } };
}
