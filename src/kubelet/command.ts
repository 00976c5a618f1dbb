/** A kubelet's command line: which of its words are flags, and what they say. Never decides whether a flag is right. */
import { parseFlags } from './flags.js';
import type { ParsedFlags } from './flags.js';
import { baseName } from '../core/paths.js';

export interface KubeletCommand {
  /** argv[0] included. */
  readonly argv: readonly string[];
  /** Words before the first flag: 1, or 2 for `hyperkube kubelet`. `flags.flags[i].at + skip` is an index into argv. */
  readonly skip: 1 | 2;
  readonly flags: ParsedFlags;
}

/** `undefined` when the binary is neither `kubelet` nor `hyperkube kubelet` (kubelet.md 9, row 71). `exe` names the binary better than argv[0] can. */
export function readCommand(argv: readonly string[], exe: string = argv[0] ?? ''): KubeletCommand | undefined {
  const skip = skippedWords(baseName(exe), argv);
  return skip === undefined ? undefined : { argv, skip, flags: parseFlags(argv.slice(skip)) };
}

function skippedWords(binary: string, argv: readonly string[]): 1 | 2 | undefined {
  if (binary === 'kubelet') return 1;
  if (binary !== 'hyperkube') return undefined;
  if (argv[1] === 'kubelet') return 2;
  return baseName(argv[0] ?? '') === 'kubelet' ? 1 : undefined;
}
