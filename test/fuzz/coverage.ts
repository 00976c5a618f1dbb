/**
 * Which blocks of the project's own code ran, by V8's precise coverage. To be imported before the code that is looked at: V8
 * counts the blocks of functions only that it compiled after the count began, so it is never stopped either.
 */
import { Session } from 'node:inspector';

export interface BlockCounter {
  /**
   * Blocks of functions that ran since the last call, each with the size class of its count, or that it did not run: what lies
   * behind a `return` has no block of its own. Of the files that were asked for.
   */
  take(): readonly string[];
}

interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[] }[];
}

const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

/** `isWanted` gets the URL of a script. */
export function countBlocks(isWanted: (url: string) => boolean): BlockCounter {
  return {
    take() {
      let scripts: readonly ScriptCoverage[] = [];
      session.post('Profiler.takePreciseCoverage', (error, answer) => {
        if (error) throw error;
        scripts = (answer as { result: readonly ScriptCoverage[] }).result;
      });
      return scripts.filter(({ url }) => isWanted(url)).flatMap(blocksOf);
    },
  };
}

function blocksOf({ url, functions }: ScriptCoverage): string[] {
  return functions.flatMap(({ ranges }) =>
    ranges.map(({ startOffset, endOffset, count }) => `${url}:${startOffset}-${endOffset}:${count === 0 ? 'not' : Math.min(6, Math.floor(Math.log2(count)))}`));
}
