/** The step kinds. The export name is the name in playbooks. Adding one: one file and one line here, sorted. */
export { daemonReload } from './daemon-reload.js';
export { healthy } from './healthy.js';
export { removeKubeletFlag } from './remove-kubelet-flag.js';
export { restart } from './restart.js';
export { setKubeletConfig } from './set-kubelet-config.js';
export { status } from './status.js';
