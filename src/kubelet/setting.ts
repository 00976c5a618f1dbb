/** A kubelet setting of type duration, and what a playbook demands of it. Data only. */
import { parseDuration } from './duration.js';

export interface DurationSetting {
  /** Without dashes: `streaming-connection-idle-timeout`. */
  readonly flag: string;
  /** Top-level member of KubeletConfiguration. */
  readonly key: string;
  /** What the kubelet takes when nothing is set, and for a zero in its config file (kubelet.md 2.4). */
  readonly defaultNs: bigint;
}

export interface SettingPolicy {
  /** Which readings decide. `both`: either one that fails is a fail. */
  readonly judge: 'literal' | 'effective' | 'both';
  /** A Go duration such as `5m`. */
  readonly minimum?: string;
  /** Compliance by default does not count: key or flag must be there. */
  readonly mustBeExplicit?: boolean;
  /** The flag may not be there, whatever its value (kubelet.md 9, row 19). */
  readonly flagForbidden?: boolean;
}

export const FOUR_HOURS_NS = 14_400_000_000_000n;

/** Throws a RangeError for text that is no duration: schemas refuse it before it gets here. */
export function minimumNs(policy: SettingPolicy): bigint | undefined {
  if (policy.minimum === undefined) return undefined;
  const parsed = parseDuration(policy.minimum);
  if (!parsed.ok) throw new RangeError(parsed.error);
  return parsed.ns;
}
