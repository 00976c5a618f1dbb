/** The journals that exist, and the folders of runs. Adding a journal: one file and one line here. */
export type { ControlInbox } from './control-inbox.js';
export { createControlInbox } from './control-inbox.js';
export type { ControlReply } from './control-request.js';
export { ANSWER_WITHIN_MS, requestControl } from './control-request.js';
export { openFileJournal, readFileJournal } from './file.js';
export { findRun } from './find-run.js';
export type { Hold } from './hold.js';
export type { RunHolder } from './holder.js';
export { createMemoryJournal } from './memory.js';
export { checkPlanPlace, isSavedPlan, planExposure, readSavedPlan, writeSavedPlan } from './saved-plan.js';
export type { RunFolder, RunItem } from './run-folder.js';
export { createRunFolder, listRuns, openRunFolder } from './run-folder.js';
