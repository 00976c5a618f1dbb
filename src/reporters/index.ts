/** The reporters that exist. Adding one: one file and one line here. */
export { createDetachedReporter } from './detached.js';
export { createLinesReporter } from './lines.js';
export { createNdjsonReporter } from './ndjson.js';
export { createSilentReporter } from './silent.js';
