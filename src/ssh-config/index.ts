/** Reading ssh_config: text to directives, directives to the answer for one name. Never reads a file, never runs a program. */
export { applyAlgorithmList } from './algorithm-list.js';
export type { AlgorithmList } from './algorithm-list.js';
export { matchPatterns } from './match-pattern.js';
export type { ConfigScope, LoadedConfig, ParsedConfig, Place } from './parsed-config.js';
export type { JumpHost } from './proxy-jump.js';
export { expandTilde } from './expand-text.js';
export { includesOf, readConfigText } from './read-config-text.js';
export type { IncludePattern } from './read-config-text.js';
export { resolveConfig } from './resolve-config.js';
export type { AskedFor, OptionField, SshConfig } from './ssh-config.js';
