/** Everything that reads what somebody else wrote, one target each. A new parser gets its line here. */
import type { Target } from './explore.js';
import { kubeletTargets } from './kubelet-targets.js';
import { nodeTargets } from './node-targets.js';
import { personTargets } from './person-targets.js';

export const TARGETS: readonly Target[] = [...nodeTargets, ...kubeletTargets, ...personTargets];
