/** What fleetmend reads from files. An inventory source's export name is its name: one file and one line here, sorted. */
export { yaml } from './yaml.js';

export { loadPlaybook, readPlaybook } from './playbook-file.js';
export { readTextFile } from './read-text-file.js';
