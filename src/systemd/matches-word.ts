/** Does a running word fit a predicted one? In time that grows with the text alone: both come from a node, which may be hostile. */

/** A specifier that only the machine can resolve, such as %H, stays in the prediction and stands for anything. */
export function matchesWord(running: string, predicted: string): boolean {
  if (running === predicted) return true;
  const parts = predicted.split(/%[a-zA-Z]/);
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined || running.length < first.length + last.length) return false;
  if (!running.startsWith(first) || !running.endsWith(last)) return false;
  const end = running.length - last.length;
  let at = first.length;
  for (const part of rest) {
    const found = running.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
