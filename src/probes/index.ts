/** The audit methods. An export's name is its name in a playbook. */
export { kubeletSetting } from './kubelet-setting.js';
