/** What the fake systemd would start from a loaded snapshot: the project's own prediction, fed with that snapshot. */
import { toByteText } from '../../src/core/bytes.js';
import { predictCommandLine } from '../../src/systemd/index.js';
import type { FakeFiles } from './fake-files.js';
import type { LoadedUnit } from './fake-unit-files.js';

/** Environment files are read at start, from disk; everything else comes from the snapshot (kubelet.md 1, item 17). */
export function predictStart(files: FakeFiles, loaded: LoadedUnit): { readonly argv: readonly string[] } | { readonly wouldNotStart: string } {
  if (loaded.fragment === undefined) return { wouldNotStart: `${loaded.unit} has no unit file` };
  const environmentFiles = new Map(
    loaded.environmentFiles.map(({ path }) => {
      const bytes = files.read(path);
      return [path, bytes === undefined ? undefined : toByteText(bytes)] as const;
    }),
  );
  const { fragment, dropIns } = loaded;
  const prediction = predictCommandLine({ unit: loaded.unit, fragment, dropIns, environmentFiles });
  if (prediction.wouldNotStart !== undefined) return { wouldNotStart: prediction.wouldNotStart };
  return { argv: prediction.words.map((word) => word.value) };
}
