/** Once for a run of the real-node tests: a fresh dist, before two files want it at once. */
export { buildOnce as setup } from './fleetmend.js';
