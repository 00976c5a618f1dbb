/** The journals that exist. Adding one: one file and one line here. */
export { openFileJournal } from './file.js';
export { createMemoryJournal } from './memory.js';
