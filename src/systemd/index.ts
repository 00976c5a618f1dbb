/** The systemd room: what a service's files make of its command line, and how to take words out of them. Pure. */
import { readServiceSettings } from './service-settings.js';
import type { EnvironmentFileReference } from './service-settings.js';
import type { UnitSourceFile } from './sources.js';

export { predictCommandLine } from './predict.js';
export { removeWords } from './remove-words.js';
export type {
  PredictedWord,
  Prediction,
  RemovalResult,
  SourceChange,
  UnitSourceFile,
  UnitSources,
  WordOrigin,
} from './sources.js';
export type { EnvironmentFileReference } from './service-settings.js';

/**
 * The environment files that the service would read, in order, so that the caller can fetch them: the keys of
 * `UnitSources.environmentFiles` are these paths. Resets and lines that systemd ignores are accounted for
 * (kubelet.md 4.4). `unit` is for specifiers, by default the name of the fragment.
 */
export function environmentFilesOf(
  fragment: UnitSourceFile,
  dropIns: readonly UnitSourceFile[],
  unit: string = fragment.path.slice(fragment.path.lastIndexOf('/') + 1),
): readonly EnvironmentFileReference[] {
  return readServiceSettings(unit, fragment, dropIns).environmentFiles;
}
