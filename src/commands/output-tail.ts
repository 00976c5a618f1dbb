/** The last lines of what a program says on both its outputs, however much that is. Clean when read; never grows. */
import { StringDecoder } from 'node:string_decoder';
import { cleanText } from '../core/clean-text.js';

const KEPT_CHARS = 8_192;
const KEPT_LINES = 20;

export interface OutputTail {
  /** One for each output: characters that were cut in two belong together again. */
  writer(): (chunk: Buffer) => void;
  text(): string;
}

export function createOutputTail(): OutputTail {
  let kept = '';
  return {
    writer: () => {
      const decoder = new StringDecoder('utf8');
      return (chunk) => { kept = (kept + decoder.write(chunk.length > KEPT_CHARS * 4 ? chunk.subarray(-KEPT_CHARS * 4) : chunk)).slice(-KEPT_CHARS); };
    },
    text: () => {
      const cut = kept.length === KEPT_CHARS && kept.includes('\n') ? kept.slice(kept.indexOf('\n') + 1) : kept;
      return cleanText(cut.replaceAll('\r\n', '\n').trimEnd().split('\n').slice(-KEPT_LINES).join('\n'));
    },
  };
}
