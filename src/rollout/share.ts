/** A share of a number of hosts as a whole number. Exact: a percentage has at most two decimals, so it is counted in hundredths. */
import type { Share } from '../core/rollout.js';

/** Never less than asked for; may be more than `of` when it is given in hosts. */
export function shareRoundedUp(share: Share, of: number): number {
  return share.unit === 'hosts' ? share.count : Math.ceil(tenThousandths(share.percent, of) / 10_000);
}

export function shareRoundedDown(share: Share, of: number): number {
  return share.unit === 'hosts' ? share.count : Math.floor(tenThousandths(share.percent, of) / 10_000);
}

/** Whole, so that 7% of 100 is not 7.000000000000001. */
function tenThousandths(percent: number, of: number): number {
  return Math.round(percent * 100) * of;
}
